"""The register: what people decided, and the trail of who did what. It only grows."""

from governance.register.database import Register, RegisterError, open_register

__all__ = ["Register", "RegisterError", "open_register"]
