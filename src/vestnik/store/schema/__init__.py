"""Every table.

Times are ms since the epoch, money is micro-units, flags are 0 or 1, open-ended settings are JSON
in text.  The same definitions serve every engine; on PostgreSQL the tables that grow without end
are partitioned by month of their `id` (engine `postgres`).
"""

from vestnik.store.schema.columns import metadata
from vestnik.store.schema.contacts import (
    blacklist,
    blacklist_sizes,
    contact_addresses,
    contact_groups,
    contact_members,
    contacts,
)
from vestnik.store.schema.directory import (
    carriers,
    clients,
    counters,
    numbering,
    rates,
    routes,
    secrets,
    settings,
)
from vestnik.store.schema.numbers import (
    alarms,
    awaited_calls,
    clicks,
    links,
    own_numbers,
    ported_blocks,
    ported_changes,
)
from vestnik.store.schema.orders import (
    mailing_chunks,
    mailing_files,
    mailing_holds,
    mailing_runs,
    mailings,
    task_chunks,
    tasks,
)
from vestnik.store.schema.papers import (
    op_templates,
    papers,
    sender_codes,
    sender_files,
    sender_operators,
    senders,
    templates,
)
from vestnik.store.schema.purse import accounts, charges, entries, sums
from vestnik.store.schema.road import (
    dedup,
    incoming,
    messages,
    news,
    outboxes,
    parts,
    queue,
    receipts,
    segments,
    submit_parts,
    texts,
)

# Partitioned by month on PostgreSQL: the table and the column that is a moment.
MONTHLY = ("messages", "entries", "charges")

__all__ = [
    "MONTHLY",
    "accounts",
    "alarms",
    "awaited_calls",
    "blacklist",
    "blacklist_sizes",
    "carriers",
    "charges",
    "clicks",
    "clients",
    "contact_addresses",
    "contact_groups",
    "contact_members",
    "contacts",
    "counters",
    "dedup",
    "entries",
    "incoming",
    "links",
    "mailing_chunks",
    "mailing_files",
    "mailing_holds",
    "mailing_runs",
    "mailings",
    "messages",
    "metadata",
    "news",
    "numbering",
    "op_templates",
    "outboxes",
    "own_numbers",
    "papers",
    "parts",
    "ported_blocks",
    "ported_changes",
    "queue",
    "rates",
    "receipts",
    "routes",
    "secrets",
    "segments",
    "sender_codes",
    "sender_files",
    "sender_operators",
    "senders",
    "settings",
    "submit_parts",
    "sums",
    "task_chunks",
    "tasks",
    "templates",
    "texts",
]
