"""The command line."""

from casestrat.cli.app import APP

__all__ = ["APP"]
