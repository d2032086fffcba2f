"""Dialog to choose the two accounts: profiles, regions and roles to assume, with descriptions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from ecr_tui.aws.model import Profile, RoleToAssume
from ecr_tui.config import Consumer, resolve
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.ui import jobs
from ecr_tui.ui.account_pair import AccountPair, Side, present
from ecr_tui.ui.panes.accounts import profile_words
from ecr_tui.ui.screens.dialog import SHARE, Dialog
from ecr_tui.ui.signing_in import sign_in
from ecr_tui.ui.text import MUTED, NO, OK, safe
from ecr_tui.ui.widgets.inputs import SafeInput
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.options import Options

if TYPE_CHECKING:
    from ecr_tui.workspace import Workspace

_SHOWN = 50
"""Maximum listed completions."""


class AccountsScreen(Dialog[AccountPair | None]):
    """Result None on Esc. Input is validated without AWS calls."""

    DEFAULT_CSS = """
    AccountsScreen {
        & > #dialog { padding: 0 2; max-width: 110; }
        & .title { margin-bottom: 0; }
        & .keys { margin-top: 0; }
        & Horizontal { height: 1; width: 1fr; }
        & Label { width: 11; color: $text-muted; }
        & Label.-side { color: $text-accent; text-style: bold; }
        & Label.-short { width: 5; margin-left: 1; }
        & Input { width: 1fr; background: $boost; }
        & .role-more { display: none; }
        & .role-more.-wanted { display: block; }
        & OptionList { height: 10; scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #meaning { height: 2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("down", "highlight(1)", "Next", priority=True),
        Binding("up", "highlight(-1)", "Previous", priority=True),
        Binding("ctrl+t", "swap", "Swap A and B"),
        Binding("ctrl+l", "sign_in", "Sign in"),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        now = present(workspace)
        self._profiles: tuple[Profile, ...] | None = None
        self._regions: tuple[str, ...] = ()
        self._offered: tuple[str, ...] = ()
        self._problem = ""
        self.signed_in = False
        fields: dict[str, tuple[str, str]] = {
            "profile-a": (now.a.profile, "AWS default"),
            "regions": (", ".join(now.regions), "of the profile"),
            "profile-b": (now.b.consumer or now.b.profile, "none"),
        }
        for side, letter in ((now.a, "a"), (now.b, "b")):
            role = side.role or RoleToAssume("")
            fields[f"role-{letter}"] = (role.arn, "ARN of a role to assume; empty: none")
            fields[f"external-{letter}"] = (role.external_id, "optional")
            fields[f"mfa-{letter}"] = (role.mfa_serial, "optional: ARN of the device")
        self._inputs = {
            name: SafeInput(value, placeholder, id=name, compact=True, select_on_focus=False)
            for name, (value, placeholder) in fields.items()
        }

    def compose(self) -> ComposeResult:
        def row(label: str, *names: str, classes: str = "", side: bool = False) -> Horizontal:
            parts: list[Any] = [Label(label, classes="-side" if side else ""), self._inputs[names[0]]]
            for name in names[1:]:
                parts += [Label("MFA", classes="-short"), self._inputs[name]]
            return Horizontal(*parts, classes=classes)

        with Vertical(id="dialog"):
            yield Static("Accounts", classes="title", markup=False)
            yield row("A owner", "profile-a", side=True)
            yield row("  regions", "regions")
            yield row("  as role", "role-a")
            yield row("  ext. id", "external-a", "mfa-a", classes="role-more for-a")
            yield row("B consumer", "profile-b", side=True)
            yield row("  as role", "role-b")
            yield row("  ext. id", "external-b", "mfa-b", classes="role-more for-b")
            yield Options(id="matches", markup=False)
            yield Static(id="meaning", classes="body", markup=False)
            yield KeyHints(
                ("↑ ↓", "complete"),
                ("tab", "next"),
                ("enter", "use"),
                ("ctrl+t", "swap"),
                ("ctrl+l", "sign in"),
                ("esc", "cancel"),
                between="  ",
            )

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._inputs["profile-a"].focus()
        self._show_role_rows()
        self._read()

    def _fit(self) -> None:
        """The list uses the remaining height, which stays fixed while typing."""
        box = self.query_one("#dialog")
        others = sum(child.outer_size.height for child in box.children if child.id != "matches")
        room = int(self.size.height * SHARE) - box.gutter.height - others
        self.query_one(OptionList).styles.height = max(3, min(room, 10))

    # -- choices ------------------------------------------------------------------------------

    def _read(self) -> None:
        workspace = self._workspace
        regions = workspace.settings.regions

        def work() -> tuple[tuple[Profile, ...], tuple[str, ...]]:
            found = tuple(workspace.accounts.profiles())
            known = {profile.name: profile.region for profile in found}
            like = regions[0] if regions else known.get(workspace.settings.profile_a or "default")
            names = tuple(workspace.accounts.region_names(like) or workspace.accounts.region_names())
            return found, names

        jobs.start(self, work, self._take, self._fail)

    def _take(self, found: tuple[tuple[Profile, ...], tuple[str, ...]]) -> None:
        self._profiles, self._regions = found
        self._offer()

    def _fail(self, error: EcrTuiError) -> None:
        """An unreadable config: names can still be typed, and corrected files are read on use."""
        self._problem = f"{NO} {error.title}"
        self._offer()

    # -- current field -------------------------------------------------------------------------------------------

    @property
    def _field(self) -> str:
        focused = self.focused
        return focused.id or "" if isinstance(focused, Input) else ""

    def _value(self, name: str) -> str:
        return self._inputs[name].value.strip()

    def _profile(self, name: str) -> Profile | None:
        return next((one for one in self._profiles or () if one.name == name), None)

    def _consumer(self, name: str) -> Consumer | None:
        return next((one for one in self._workspace.settings.consumers if one.name == name), None)

    def _profile_of(self, letter: str) -> str:
        """The profile's name: account B's field may have a consumer."""
        name = self._value(f"profile-{letter}")
        consumer = self._consumer(name) if letter == "b" else None
        return name if consumer is None else consumer.profile or ""

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._offer()

    @on(Input.Changed)
    def _changed(self) -> None:
        self._show_role_rows()
        self._offer()

    def _show_role_rows(self) -> None:
        for letter in "ab":
            self.query(f".for-{letter}").set_class(bool(self._value(f"role-{letter}")), "-wanted")
        self.call_after_refresh(self._fit)

    def _token(self) -> str:
        """The text to complete: all of it, or the last of several regions."""
        text = self._inputs[self._field].value
        return re.split(r"[,\s]+", text)[-1] if self._field == "regions" else text.strip()

    def _offer(self) -> None:
        """List completions of the text, and describe its meaning."""
        field, options = self._field, self.query_one(OptionList)
        labels: list[Content] = []
        names: list[str] = []
        if field.startswith("profile-"):
            # For a complete name, list its neighbors.
            consumers = self._workspace.settings.consumers if field == "profile-b" else ()
            complete = self._profile(self._token()) or self._token() in [one.name for one in consumers]
            part = "" if complete else self._token()
            for consumer in _matching(part, consumers, lambda one: one.name):
                names.append(consumer.name)
                words = f"  consumer · {safe(consumer.words)}"
                labels.append(Content.assemble((safe(consumer.name), "bold $text-accent"), (words, MUTED)))
            for profile in _matching(part, self._profiles or (), lambda one: one.name):
                if profile.name in names:
                    continue
                names.append(profile.name)
                words = f"  {safe(profile_words(profile))}"
                labels.append(Content.assemble((safe(profile.name), "bold"), (words, MUTED)))
        elif field == "regions":
            chosen = set(re.split(r"[,\s]+", self._value("regions"))) - {self._token()}
            names = [name for name in _matching(self._token(), self._regions, str) if name not in chosen]
            labels = [Content(name) for name in names]
        self._offered = tuple(names[:_SHOWN])
        options.clear_options()
        options.add_options(Option(label) for label in labels[:_SHOWN])
        typed = self._token() if field in ("profile-a", "profile-b", "regions") else ""
        options.highlighted = 0 if typed and names and typed not in names else None
        try:
            self._tell(self._meaning())
        except EcrTuiError as error:
            self._tell(_refused(error))

    def _tell(self, text: str) -> None:
        """A second line is a warning."""
        first, _, warning = text.partition("\n")
        parts = [Content.styled(safe(first), "$text-error" if text.startswith(NO) else MUTED)]
        parts += [Content.styled(safe(warning), "$text-warning")] if warning else []
        self.query_one("#meaning", Static).update(Content("\n").join(parts))

    def _meaning(self) -> str:
        """Meaning of the current field. Raises InputError for an invalid value."""
        field = self._field
        if field.startswith("profile-"):
            name = self._value(field)
            if not name:
                if self._problem:
                    return self._problem
                if self._profiles == ():
                    return f"{NO} No profiles in the AWS config. Create one with aws configure sso or aws configure."
                if field == "profile-a":
                    return "AWS default: AWS_PROFILE, keys in the environment, or profile [default]."
                return "No account B: you can grant to any principal, but not verify."
            consumer = self._consumer(name) if field == "profile-b" else None
            if consumer is not None:
                return f"{OK} consumer · {consumer.words}" + self._same_account()
            found = self._profile(name)
            self._known(name, field)
            if found is None:
                return self._problem or "Unknown yet."
            return f"{OK} {profile_words(found)}" + self._same_account()
        if field == "regions":
            regions = self._chosen_regions()
            own = self._profile(self._value("profile-a") or "default")
            if regions:
                return f"{OK} {', '.join(regions)}"
            return f"Region of the profile: {own.region or 'none' if own else '?'}"
        if field:
            role = self._role_of(field[-1])
            if role is None:
                return "No role: uses the profile's credentials."
            name = role.arn.rpartition(":")[2]
            return f"{OK} session ecr-tui of {name} in account {role.account}, in memory only"
        return ""

    def _same_account(self) -> str:
        """A warning on a separate line if both sides are the same account."""
        a, b = (self._account_of(letter) for letter in "ab")
        if a and a == b:
            return f"\n! A and B are the same account ({a}). Cross-account access needs two."
        sides = [(self._profile_of(letter), self._value(f"role-{letter}")) for letter in "ab"]
        if sides[0][0] and sides[0] == sides[1]:
            return f"\n! A and B are the same profile ({sides[0][0]}). Cross-account access needs two accounts."
        return ""

    def _account_of(self, letter: str) -> str:
        """The account if known without AWS calls, else ""."""
        profile = self._profile(self._profile_of(letter))
        consumer = self._consumer(self._value("profile-b")) if letter == "b" else None
        try:
            role = self._role_of(letter)
        except EcrTuiError:
            return ""
        if role is not None:
            return role.account
        return (consumer.account if consumer else "") or (profile.account if profile is not None else "")

    def _known(self, name: str, field: str) -> None:
        """Raises InputError for a name that is not a profile or a prefix of one, once the profiles are known."""
        consumers = self._workspace.settings.consumers if field == "profile-b" else ()
        if self._profiles is not None and not _matching(name, [*self._profiles, *consumers], lambda one: one.name):
            raise InputError(f"unknown profile {name!r}")

    def _chosen_regions(self) -> tuple[str, ...]:
        return resolve({"regions": self._value("regions")}, environ={}).regions

    def _role_of(self, letter: str) -> RoleToAssume | None:
        return RoleToAssume.parse(*(self._value(f"{name}-{letter}") for name in ("role", "external", "mfa")))

    # -- keys --------------------------------------------------------------------------------------------------------

    def action_highlight(self, by: int) -> None:
        options = self.query_one(OptionList)
        if options.option_count:
            at = options.highlighted
            options.highlighted = 0 if at is None else (at + by) % options.option_count

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self._complete(self._offered[event.option_index])

    def _complete(self, name: str) -> None:
        field = self._field
        box = self._inputs[field]
        if field == "regions":
            before = re.split(r"[,\s]+", box.value)[:-1]
            box.value = ", ".join([*before, name])
        else:
            box.value = name
            found = self._profile(name)
            other = field == "profile-a" and name != self._workspace.settings.profile_a
            if other and found is not None and found.region:
                # Regions of the previous account do not apply.
                self._inputs["regions"].value = ""
        box.cursor_position = len(box.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and self._offered[at] != self._token():
            self._complete(self._offered[at])
            return
        choice = self._checked()
        if choice is not None:
            self.dismiss(choice)

    def _checked(self) -> AccountPair | None:
        """All fields; None if one is invalid, which gets the focus and shows the error."""
        field = ""
        try:
            for field in ("profile-a", "profile-b"):
                name = self._value(field)
                known = self._profile(name) or (field == "profile-b" and self._consumer(name))
                if name and self._profiles is not None and not known:
                    raise InputError(f"unknown profile {name!r}")
            field = "regions"
            regions = self._chosen_regions()
            field = "role-a"
            a = Side(self._value("profile-a"), self._role_of("a"))
            field = "role-b"
            consumer = self._consumer(self._value("profile-b"))
            b = Side(self._profile_of("b"), self._role_of("b"), consumer.name if consumer is not None else "")
            if b.role is not None and not b.profile:
                field = "profile-b"
                raise InputError("a role needs a profile to assume it with", hint="Name one for account B.")
        except EcrTuiError as error:
            self._inputs[field].focus()
            self._tell(_refused(error))
            return None
        return AccountPair(a, b, regions)

    def action_swap(self) -> None:
        # Account A has no consumers.
        self._inputs["profile-b"].value = self._profile_of("b")
        for name in ("profile", "role", "external", "mfa"):
            a, b = self._inputs[f"{name}-a"], self._inputs[f"{name}-b"]
            a.value, b.value = b.value, a.value

    def action_sign_in(self) -> None:
        name = self._profile_of("b" if self._field.endswith("-b") else "a") or "default"
        profile = self._profile(name)
        if profile is None or not profile.login_command:
            self._tell(f"{NO} Profile {name} has no sign-in: it is not an SSO profile.")
        elif sign_in(self.app, profile.login_command):
            self.signed_in = True


def _refused(error: EcrTuiError) -> str:
    return f"{NO} {error.title}. {error.hint}".strip()


def _matching(text: str, items: Sequence[Any], name: Any) -> list[Any]:
    """Prefix matches before other matches."""
    low = text.casefold()
    found = [one for one in items if low in name(one).casefold()]
    return sorted(found, key=lambda one: not name(one).casefold().startswith(low))
