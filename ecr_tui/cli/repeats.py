"""Refusal of repeated options: click alone silently takes the last one."""

from __future__ import annotations

import click
from click.core import ParameterSource


class OnceEach(click.Command):
    """Refuses a single-value option given twice, also once before and once after the command name.

    ``multiple`` and counting options are repeatable. Help and errors of other options come first.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        rest = super().parse_args(ctx, args)
        if ctx.resilient_parsing:
            return rest
        _, _, order = self.make_parser(ctx).parse_args(args=given)
        for option in dict.fromkeys(order):
            if isinstance(option, click.Option) and not (option.multiple or option.count):
                if order.count(option) > 1:
                    _refuse(ctx, option, f"{order.count(option)} times")
                if _given_before(ctx, option):
                    _refuse(ctx, option, f"before and after {ctx.info_name}")
        return rest


def _given_before(ctx: click.Context, option: click.Option) -> bool:
    above, name = ctx.parent, option.name or ""
    while above is not None:
        if above.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            return True
        above = above.parent
    return False


def _refuse(ctx: click.Context, option: click.Option, how: str) -> None:
    raise click.BadOptionUsage(
        option.name or "", f"Option {option.get_error_hint(ctx)} is given {how}. Give it once.", ctx
    )
