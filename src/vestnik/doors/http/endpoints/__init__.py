"""Every endpoint the HTTP door serves."""

from vestnik.doors.http.endpoints import balance, downloads, get, send, status

ENDPOINTS = (
    balance.balance,
    downloads.downloads,
    get.get,
    send.send,
    status.status,
)
