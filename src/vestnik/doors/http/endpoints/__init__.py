"""Every endpoint the HTTP door serves."""

from vestnik.doors.http.endpoints import balance, send, status

ENDPOINTS = (balance.balance, send.send, status.status)
