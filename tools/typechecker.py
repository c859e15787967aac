"""The checker of shapes and types at test time: beartype, with the rule that where a float is asked an int will do."""

from beartype import BeartypeConf, beartype

__all__ = ["checked"]

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
