"""Address books: contacts, their groups, files of them, who is blocked."""
