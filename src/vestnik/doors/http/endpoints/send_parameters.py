"""What send.php reads (send.md)."""

from vestnik.doors.http.endpoint import IDEMPOTENCY_KEY, Parameter

# At most one of these applies, the first that is set.
_CHANNELS = (
    Parameter("hlr", "1 looks the number up and sends nothing.", kind="flag"),
    Parameter("ping", "1 sends a silent message.", kind="flag"),
    Parameter("flash", "1 shows the text at once on the screen.", kind="flag"),
    Parameter("push", "1 sends a WAP push.", kind="flag"),
    Parameter("bin", "1 sends octets, 2 octets written in hex.", kind="number", low=0, high=2),
    Parameter("mms", "1 sends an MMS.", kind="flag"),
    Parameter("mail", "1 sends an e-mail.", kind="flag"),
    Parameter("call", "1 makes a voice call.", kind="flag"),
    Parameter("viber", "1 sends by Viber.", kind="flag"),
    Parameter("soc", "1 sends by a social network.", kind="flag"),
    Parameter("whatsapp", "1 sends by WhatsApp.", kind="flag"),
    Parameter("tg", "1 sends a confirmation code by Telegram.", kind="flag"),
    Parameter("bot", "Sends by a chat bot: @name_bot, or wa:number for WhatsApp."),
)
PARAMETERS = (
    Parameter("phones", "Who is to get it: numbers or addresses, by commas or semicolons."),
    Parameter("mes", "The text."),
    Parameter("list", "Instead of phones and mes: lines of phones:text, each with its own text."),
    Parameter("nl", "1: texts of list have real line breaks.", kind="flag"),
    Parameter(
        "cost",
        "1 only tells the price, 2 sends and tells it, 3 the balance too.",
        kind="number",
        low=0,
        high=3,
    ),
    Parameter(
        "id", "An id of your own: Latin letters, digits, dots, hyphens, underscores.", high=40
    ),
    Parameter("sender", "The sender's name or number; a dot switches the usual one off."),
    Parameter("time", "When: DDMMYYhhmm, DD.MM.YY hh:mm, h1-h2, 0 and Unix seconds, or +minutes."),
    Parameter("tz", "Zone of time, in hours from Moscow.", kind="decimal"),
    Parameter("period", "Hours over which the messages are spread, 0.1 to 720.", kind="decimal"),
    Parameter("freq", "Minutes between the portions of period, 1 to 1440.", kind="decimal"),
    Parameter("valid", "How long delivery is tried: 1 to 24 hours, or hh:mm."),
    Parameter("maxsms", "The text is cut to so many parts.", kind="number", low=0),
    Parameter(
        "translit",
        "1 writes Cyrillic in Latin letters by sound, 2 by look.",
        kind="number",
        low=0,
        high=2,
    ),
    Parameter(
        "tinyurl", "1 makes the links of the text short and counts who follows them.", kind="flag"
    ),
    Parameter("op", "1 tells all recipients with their prices and statuses.", kind="flag"),
    Parameter("err", "1 tells the recipients that were refused.", kind="flag"),
    *_CHANNELS,
    Parameter("subj", "Subject of an MMS or an e-mail."),
    Parameter("voice", "Voice of a call: m, m2 to m4, w, w2 to w4."),
    Parameter("param", "Of a call: seconds of ringing, of waiting for the next try, tries."),
    Parameter("fileurl", "Where a file that is sent along can be fetched."),
    Parameter("file", "A file that is sent along; its field may have any name.", kind="file"),
    Parameter("smsreq", "Days after which a bot asks for the number again."),
    Parameter("imgcode", "What an end user read from a picture."),
    Parameter("userip", "Address of the end user."),
    Parameter("pp", "A partner for whom the request counts."),
    IDEMPOTENCY_KEY,
)
