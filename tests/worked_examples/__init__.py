"""The worked examples of rulebook section 17, through the real cores: literal input, literal output."""
