"""Every endpoint the HTTP door serves."""

from vestnik.doors.http.endpoints import balance, downloads, get, mails, phones, send, status, users

ENDPOINTS = (
    balance.balance,
    downloads.downloads,
    get.get,
    mails.mails,
    phones.phones,
    send.send,
    status.status,
    users.users,
)
