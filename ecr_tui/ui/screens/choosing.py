"""Choosing what to grant and how to sort: the questions behind b, p, c and s."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.expiry import ending, parse_until
from ecr_tui.listing.filters import complete_tags
from ecr_tui.policy.actions import Access
from ecr_tui.policy.ours import tag_words
from ecr_tui.policy.principal import describe, parse_principal
from ecr_tui.ui.choice import Choice, Tags, condition_choices, parse_condition
from ecr_tui.ui.screens.ask import AskScreen, Choosable, ChooseScreen
from ecr_tui.ui.text import MUTED, OK, safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.screens.main import MainScreen

OWN = "own"
"""The choice of the scope tag's own value among the conditions."""


class Choosing:
    """Owns the choice; the main screen is told when it changes."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        settings = screen.workspace.settings
        self.choice = Choice(
            access=Access.parse(settings.access), condition=settings.condition, scope=settings.scope_tag
        )

    @property
    def principal(self) -> str | None:
        return self.choice.principal_for(self._screen.listing.consumer)

    @property
    def grant(self) -> Grant | None:
        return self.grant_on(self._screen.repository)

    def grant_on(self, repository: Repository | None) -> Grant | None:
        return self.choice.grant(self._screen.listing.consumer, repository)

    def take(self, choice: Choice) -> None:
        if choice != self.choice:
            self.choice = choice
            self._screen.choice_changed()

    def next_access(self) -> None:
        self.take(self.choice.next_access())

    # -- to whom ---------------------------------------------------------------------------------------------------

    def ask_principal(self) -> None:
        default = replace(self.choice, principal=None).principal_for(self._screen.listing.consumer)

        def check(text: str) -> str:
            principal = self._parse(text)
            if principal is not None:
                return f"{OK} {describe(principal)}  ·  {principal}"
            if default is None:
                return "account B's caller, once it is known"
            return f"{OK} account B's caller: {describe(default)}"

        def answered(text: str | None) -> None:
            if text is not None:
                principal = self._parse(text)
                self.take(replace(self.choice, principal=None if principal == default else principal))

        question = AskScreen(
            "Who is granted access?",
            "An ARN, a 12-digit account id, or user/NAME or role/NAME in account B. Empty: account B's own caller.",
            value=self.principal or "",
            placeholder="user/devusr2",
            check=check,
        )
        self._screen.app.push_screen(question, answered)

    def _parse(self, text: str) -> str | None:
        """None for an empty text. Raises InputError."""
        if not text.strip():
            return None
        repository, consumer = self._screen.repository, self._screen.listing.consumer
        partition = repository.partition if repository else consumer.partition if consumer else "aws"
        return parse_principal(text, account_b=consumer.account if consumer else None, partition=partition)

    # -- on which condition ------------------------------------------------------------------------------------------

    def ask_condition(self) -> None:
        repository, tag_filter = self._screen.repository, self._screen.listing.tags
        current = self.choice.condition or ()
        tags = condition_choices(repository, tag_filter, current)
        own = set((repository.tags or {}).items()) if repository else set()
        choices = []
        if self.choice.scope:
            words = f"{safe(self.choice.scope)} of each repository"
            choices.append(Choosable(Content.assemble(words, ("  · the default", MUTED)), OWN))
        for pairs in tags:
            note = ""
            if pairs:
                note = "this repository has it" if set(pairs) <= own else "this repository does not have it"
            words = safe(tag_words(pairs)) if pairs else "no condition"
            choices.append(Choosable(Content.assemble(words, (f"  · {note}" if note else "", MUTED)), pairs))
        choices.append(Choosable(Content.styled("another tag…", "italic"), None))

        def chosen(choice: Choosable | None) -> None:
            if choice is None:
                return
            if choice.value is None:
                self._ask_tags(current)
            elif choice.value == OWN:
                self.take(replace(self.choice, condition=None))
            else:
                self.take(replace(self.choice, condition=choice.value))

        question = ChooseScreen(
            "Condition: only while the repository is tagged…",
            choices,
            current=0 if self.choice.own_tag else tags.index(current) + bool(self.choice.scope),
            explanation="Written into the policy as a condition on aws:ResourceTag.",
        )
        self._screen.app.push_screen(question, chosen)

    def _ask_tags(self, current: Tags) -> None:
        def check(text: str) -> str:
            pairs = parse_condition(text)
            return f"{OK} if {tag_words(pairs)}" if pairs else f"{OK} no condition"

        def answered(text: str | None) -> None:
            if text is not None:
                self.take(replace(self.choice, condition=parse_condition(text)))

        question = AskScreen(
            "Condition",
            "KEY=VALUE. Several, separated by commas, must all be there.",
            value=", ".join(f"{key}={value}" for key, value in current),
            placeholder="Team=Payments",
            check=check,
            complete=lambda text: complete_tags(text, self._screen.repositories.tag_values),
        )
        self._screen.app.push_screen(question, answered)

    # -- until when --------------------------------------------------------------------------------------------------

    def ask_until(self) -> None:
        now = self._screen.now

        def parsed(text: str) -> datetime | None:
            return parse_until(text, now=now()) if text.strip() else None

        def check(text: str) -> str:
            until = parsed(text)
            return f"{OK} until {ending(until, now())}" if until else f"{OK} no end"

        def answered(text: str | None) -> None:
            if text is not None:
                self.take(replace(self.choice, until=parsed(text)))

        question = AskScreen(
            "End of the grant",
            "A duration (2w, 30d, 12h), a date (that day's end in UTC) or a time with its zone: 2030-01-31T18:00:00Z. "
            "Empty: no end.",
            value=self.choice.until.strftime("%Y-%m-%dT%H:%M:%SZ") if self.choice.until else "",
            placeholder="30d",
            check=check,
        )
        self._screen.app.push_screen(question, answered)

    # -- in which order ----------------------------------------------------------------------------------------------

    def ask_sort(self) -> None:
        table = self._screen.table
        sorted_by, descending = table.sort
        choices = []
        for column in table.columns:
            order = ("  ▼ descending" if descending else "  ▲ ascending") if column.id == sorted_by else ""
            choices.append(Choosable(Content.assemble(column.label, (order, MUTED)), column.id))

        def chosen(choice: Choosable | None) -> None:
            if choice is not None:
                table.sort_by(choice.value)

        question = ChooseScreen(
            "Sort by",
            choices,
            current=next(i for i, c in enumerate(table.columns) if c.id == sorted_by),
            explanation="The same column again turns the order. What is not read yet comes last.",
        )
        self._screen.app.push_screen(question, chosen)
