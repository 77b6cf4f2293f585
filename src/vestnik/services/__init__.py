"""What the centre does, in folders by the nouns of the field (docs/design/services.md)."""
