"""labctl: instrument control and acquisition for cryogenic micro-photoluminescence."""

__version__ = "0.1.0"
