"""VirtualTable by itself: order, filter, marks, cursor, window, columns and drawing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from ecr_tui.ui.widgets.columns import Column, fit_pieces
from ecr_tui.ui.widgets.row_model import RowModel
from ecr_tui.ui.widgets.virtual_table import VirtualTable


@dataclass(frozen=True)
class Row:
    """A thing that is no repository, but has what the filter looks at."""

    name: str
    size: int | None = None
    tags: dict[str, str] | None = field(default_factory=dict, compare=False)
    region: str = "here"
    mutability: str = "MUTABLE"


COLUMNS = (
    Column[Row]("name", "Name", lambda r: [(r.name, "")], lambda r: r.name, width=10, flex=1, keep=9, search=True),
    Column[Row]("size", "Size", lambda r: [(str(r.size), "dim")], lambda r: r.size, width=6, keep=1, right=True),
)


class TableApp(App[None]):
    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self.table: VirtualTable[Row] = VirtualTable(COLUMNS, key=lambda r: r.name, look=lambda r: r, id="table")
        self._rows = rows
        self.seen: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.set_rows(self._rows)
        self.table.focus()

    def on_virtual_table_moved(self, message: VirtualTable.Moved) -> None:
        self.seen.append("moved:" + (message.row.name if message.row else "-"))

    def on_virtual_table_opened(self, message: VirtualTable.Opened) -> None:
        self.seen.append("opened:" + (message.row.name if message.row else "-"))


@asynccontextmanager
async def table(
    rows: list[Row], size: tuple[int, int] = (40, 11)
) -> AsyncIterator[tuple[VirtualTable[Row], Pilot[None]]]:
    app = TableApp(rows)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app.table, pilot


def rows(count: int) -> list[Row]:
    return [Row(f"row-{i:05}", i) for i in range(count)]


def names(widget: VirtualTable[Row]) -> list[str]:
    return [row.name for row in widget.window()]


def lines(widget: VirtualTable[Row]) -> list[str]:
    return [widget.render_line(y).text for y in range(widget.size.height)]


async def test_only_what_is_in_view_is_asked_for() -> None:
    drawn: list[str] = []
    column = Column[Row]("n", "N", lambda r: drawn.append(r.name) or [(r.name, "")], lambda r: r.name, width=10)
    app = TableApp(rows(5000))
    app.table.set_columns((column,))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        assert set(drawn) <= {f"row-{i:05}" for i in range(20)}


async def test_keys_move_and_scroll() -> None:
    async with table(rows(100)) as (widget, pilot):
        await pilot.press("down", "j", "k")
        assert widget.current == Row("row-00001", 1)
        await pilot.press("pagedown")
        assert widget.current == Row("row-00011", 11)
        assert "row-00011" in names(widget)
        await pilot.press("end")
        assert widget.current == Row("row-00099", 99)
        assert names(widget)[-1] == "row-00099"
        assert "row-00099" in lines(widget)[-1]
        await pilot.press("pageup", "home", "up")
        assert widget.current == Row("row-00000", 0)
        assert names(widget)[0] == "row-00000"


async def test_moves_are_told_once_each() -> None:
    async with table(rows(3)) as (widget, pilot):
        await pilot.press("down", "down", "down", "enter")
        assert widget.app.seen == ["moved:row-00000", "moved:row-00001", "moved:row-00002", "opened:row-00002"]


async def test_unknown_values_sort_last_in_either_order() -> None:
    async with table([Row("a", 2), Row("b"), Row("c", 1)]) as (widget, _):
        widget.sort_by("size")
        assert names(widget) == ["c", "a", "b"]
        widget.sort_by("size")
        assert names(widget) == ["a", "c", "b"]
        assert widget.sort == ("size", True)


async def test_filter_words_must_all_match_in_any_case() -> None:
    async with table([Row("Alpha-one"), Row("alpha-two"), Row("beta-one")]) as (widget, _):
        widget.filter = "ONE al"
        assert names(widget) == ["Alpha-one"]
        widget.filter = "one"
        assert names(widget) == ["Alpha-one", "beta-one"]
        widget.filter = ""
        assert widget.shown == 3


@pytest.mark.parametrize("seed", range(20))
async def test_typing_and_deleting_gives_what_a_fresh_filter_gives(seed: int) -> None:
    """Narrowing reuses the last result; no sequence of edits may make that visible."""
    chance = random.Random(seed)
    everything = [Row("".join(chance.choices("abc ", k=6))) for _ in range(60)]
    everything = list({row.name: row for row in everything}.values())
    async with table(everything) as (widget, _):
        text = ""
        for _ in range(30):
            edit = chance.random()
            if edit < 0.3:
                text = text[:-1]
            elif edit < 0.4:
                text = chance.choice("abc") + text
            else:
                text += chance.choice("abc ")
            widget.filter = text
            fresh = RowModel[Row](lambda r: r.name, lambda r: r)
            fresh.set_columns({c.id: c.sort for c in COLUMNS}, ("name", False))
            for _ in fresh.set_rows(everything, partial=False):
                pass
            fresh.filter(text)
            shown = [entry.row.name for entry in widget.model.view]
            assert shown == [entry.row.name for entry in fresh.view]
            literal = {row.name for row in everything if all(word in row.name for word in text.split())}
            assert literal in (set(shown), set())


async def test_matches_are_highlighted_where_they_are() -> None:
    async with table([Row("pay-pal-pay")]) as (widget, _):
        widget.filter = "pay pal"
        style = widget._pen.style("cursor", "match")
        hits = [segment.text for segment in widget.render_line(1) if segment.style == style]
        assert hits == ["pay", "pal", "pay"]


async def test_letters_that_fold_to_two_are_not_highlighted_wrongly() -> None:
    async with table([Row("straße-pay")]) as (widget, _):
        widget.filter = "pay"
        assert "straße-pay" in widget.render_line(1).text


async def test_a_filter_selects_the_best_match_wherever_the_cursor_was() -> None:
    data = [Row(f"tools/worker-{i:03}", i, {"Stage": "data"}) for i in range(300)]
    async with table([Row("data/etl"), Row("billing/data"), *data]) as (widget, pilot):
        await pilot.press("end", "pageup")
        for text in ("d", "da", "dat", "data"):
            widget.filter = text
        assert (widget.current.name, widget.shown) == ("billing/data", 302)
        assert widget.scroll_offset.y == 0
        widget.sort_by("size")
        widget.filter = "data e"
        assert widget.current.name == "data/etl"


async def test_the_best_match_is_selected_in_another_order_too() -> None:
    async with table([Row("x-api", 1), Row("api", 3), Row("y-api", 2)]) as (widget, _):
        widget.sort_by("size")
        widget.filter = "api"
        assert (names(widget), widget.current.name) == (["x-api", "y-api", "api"], "api")


async def test_a_row_that_was_acted_on_stays_selected_when_the_filter_goes() -> None:
    async with table(rows(50)) as (widget, pilot):
        await pilot.press("down")
        widget.filter = "4"
        assert widget.current.name == "row-00004"
        widget.filter = ""
        assert widget.current.name == "row-00001"
        widget.filter = "4"
        widget.model.keep()
        widget.filter = ""
        assert widget.current.name == "row-00004"
        widget.filter = "33"
        await pilot.press("space")
        widget.filter = ""
        assert widget.current.name == "row-00033"


async def test_pages_that_arrive_leave_the_match_selected() -> None:
    async with table([Row("b-api"), Row("c")]) as (widget, _):
        widget.filter = "api"
        widget.add_rows([Row("api"), Row("a-api")])
        assert (names(widget)[0], widget.current.name) == ("api", "b-api")


@pytest.mark.parametrize(
    ("text", "words"), [("rw", "Similar rows"), ("acess:none", "error"), ("row access:pu", "error")]
)
async def test_what_the_filter_does_not_mean_exactly_is_not_marked(text: str, words: str) -> None:
    async with table(rows(5)) as (widget, pilot):
        widget.filter = text
        await pilot.press("asterisk")
        assert widget.marks == 0
        assert words in "".join(one.message for one in widget.app._notifications)
        widget.filter = "row"
        await pilot.press("asterisk")
        assert widget.marks == 5


async def test_the_keys_of_vim_and_less_page() -> None:
    async with table(rows(100)) as (widget, pilot):
        places = []
        for key in ("G", "ctrl+u", "ctrl+b", "home", "ctrl+d", "ctrl+f"):
            await pilot.press(key)
            places.append(widget.current.size)
        assert places == [99, 94, 84, 0, 5, 15]


async def test_the_wheel_takes_the_cursor_along() -> None:
    async with table(rows(100)) as (widget, pilot):
        for _ in range(5):
            widget.post_message(wheel(widget, events.MouseScrollDown))
        await pilot.pause()
        assert widget.scroll_offset.y > 0
        assert widget.current.name == names(widget)[0]
        assert widget.app.seen[-1] == f"moved:{widget.current.name}"
        await pilot.press("end")
        for _ in range(5):
            widget.post_message(wheel(widget, events.MouseScrollUp))
        await pilot.pause()
        assert widget.current.name == names(widget)[9]


def wheel(widget: VirtualTable[Row], kind: type[events.MouseScrollDown | events.MouseScrollUp]) -> events.MouseEvent:
    return kind(widget, 5, 5, 0, 0, 0, False, False, False, 5, 5)


async def test_a_column_has_its_own_first_direction_and_its_arrow_always_has_room() -> None:
    wide = Column[Row]("when", "Last push", lambda r: [("", "")], lambda r: r.size, 9, right=True, descending=True)
    async with table([Row("a", 1), Row("b", 3), Row("c")]) as (widget, _):
        widget.set_columns((*COLUMNS, wide))
        widget.sort_by("when")
        assert (names(widget), widget.sort) == (["b", "a", "c"], ("when", True))
        assert "Last pu ▼" in lines(widget)[0]
        widget.sort_by("when")
        assert (names(widget), widget.sort) == (["a", "b", "c"], ("when", False))
        assert "Last pu ▲" in lines(widget)[0]


async def test_values_that_arrive_are_put_in_order_where_the_rows_are_sorted_by_them() -> None:
    known: dict[str, int] = {}
    live = Column[Row]("live", "Live", lambda r: [("", "")], lambda r: known.get(r.name), 6, live=True)
    async with table([Row("a"), Row("b"), Row("c")]) as (widget, pilot):
        widget.set_columns((*COLUMNS, live))
        widget.sort_by("live")
        known.update(a=3, b=1, c=2)
        widget.redraw_rows()
        for _ in range(100):
            await pilot.pause(0.02)
            if names(widget)[0] != "a":
                break
        assert (names(widget), widget.current.name) == (["b", "c", "a"], "a")


async def test_cursor_and_marks_survive_new_rows_a_sort_and_a_filter() -> None:
    async with table(rows(50)) as (widget, pilot):
        await pilot.press("down", "down", "space")
        assert [r.name for r in widget.marked] == ["row-00002"]
        widget.set_rows([Row("row-00000-new"), *reversed(rows(50))])
        assert widget.current.name == "row-00003"
        assert [r.name for r in widget.marked] == ["row-00002"]
        widget.sort_by("name", True)
        assert widget.current.name == "row-00003"
        widget.filter = "49"
        assert widget.current.name == "row-00049"
        assert [r.name for r in widget.model.marked_hidden()] == ["row-00002"]
        widget.filter = ""
        assert widget.current.name == "row-00003"
        assert widget.model.marked_hidden() == []


async def test_equal_rows_come_in_the_order_in_which_they_were_given_last() -> None:
    async with table([Row("a", 1), Row("b", 1), Row("c", 2)]) as (widget, _):
        widget.set_columns(COLUMNS[1:])
        widget.set_rows([Row("c", 2), Row("b", 1), Row("a", 1)])
        assert names(widget) == ["b", "a", "c"]


async def test_a_new_first_row_does_not_change_what_is_selected() -> None:
    async with table([Row("b"), Row("c")]) as (widget, _):
        widget.set_rows([Row("a"), Row("b"), Row("c")])
        assert widget.current.name == "b"


async def test_a_row_that_has_gone_loses_mark_and_cursor() -> None:
    async with table(rows(5)) as (widget, pilot):
        await pilot.press("end", "space")
        widget.set_rows(rows(4))
        assert widget.marks == 0
        assert widget.current.name == "row-00003"
        widget.set_rows([])
        assert widget.current is None
        await pilot.press("space", "enter", "down", "end", "pagedown")
        assert widget.app.seen[-2:] == ["moved:-", "opened:-"]


async def test_pages_bring_back_marks_and_cursor() -> None:
    async with table(rows(30)) as (widget, pilot):
        await pilot.press("end", "space")
        widget.set_rows(rows(10), partial=True)
        assert widget.marks == 1
        assert widget.marked == []
        widget.add_rows(rows(30)[10:])
        assert [r.name for r in widget.marked] == ["row-00029"]
        assert widget.current.name == "row-00029"


async def test_marked_rows_come_in_the_order_of_the_table_hidden_last() -> None:
    async with table(rows(4)) as (widget, pilot):
        await pilot.press("space", "space", "space")
        widget.sort_by("name", True)
        assert [r.name for r in widget.marked] == ["row-00002", "row-00001", "row-00000"]
        widget.filter = "1"
        assert [r.name for r in widget.marked] == ["row-00001", "row-00002", "row-00000"]
        widget.unmark_all()
        assert widget.marked == []


async def test_marks_and_cursor_have_signs() -> None:
    async with table(rows(3)) as (widget, pilot):
        await pilot.press("space")
        assert lines(widget)[1].startswith(" ● row-00000")
        assert lines(widget)[2].startswith("›  row-00001")


async def test_an_empty_table_says_why() -> None:
    async with table([]) as (widget, _):
        widget.set_message("Nothing here.", "Try again")
        text = "\n".join(lines(widget))
        assert "Nothing here." in text
        assert "Try again" in text


async def test_the_mouse_moves_opens_marks_and_sorts() -> None:
    async with table(rows(30)) as (widget, pilot):
        await pilot.click("#table", offset=(8, 3))
        assert widget.current.name == "row-00002"
        await pilot.click("#table", offset=(8, 3), times=2)
        assert "opened:row-00002" in widget.app.seen
        await pilot.click("#table", offset=(0, 5))
        assert [r.name for r in widget.marked] == ["row-00004"]
        await pilot.click("#table", offset=(8, 0))
        assert widget.sort == ("name", True)
        await pilot.click("#table", offset=(35, 0))
        assert widget.sort == ("size", False)
        await pilot.hover("#table", offset=(8, 2))
        assert widget._hover == 1 + widget.scroll_offset.y


@pytest.mark.parametrize(("width", "seen"), [(60, ["Name", "Size"]), (20, ["Name"]), (6, ["Name"]), (1, [])])
async def test_columns_go_by_importance(width: int, seen: list[str]) -> None:
    async with table(rows(3), size=(width, 8)) as (widget, _):
        header = widget.render_line(0).text
        assert [label for label in ("Name", "Size") if label[: max(width - 4, 1)] in header] == seen or width < 10
        assert all(widget.render_line(y).cell_length == widget.size.width for y in range(widget.size.height))


@pytest.mark.parametrize("text", ["", "abc", "日本語日本語", "a" * 50])
@pytest.mark.parametrize("right", [False, True])
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, right: bool) -> None:
    from rich.cells import cell_len

    for room in range(1, 15):
        pieces = fit_pieces([(text, ""), ("xy", "dim")], room, right)
        assert sum(cell_len(piece) for piece, _ in pieces) == room


async def test_a_hundred_thousand_rows_cost_no_more_than_their_numbers() -> None:
    async with table([]) as (widget, pilot):
        widget.set_rows(rows(100_000))
        while widget.busy:
            await pilot.pause()
        assert widget.shown == 100_000
        widget.filter = "row-0999"
        assert widget.shown == 10
        await pilot.press("end")
        assert widget.current.name == "row-09999"
        widget.filter = ""
        await pilot.press("end")
        assert names(widget)[-1] == "row-99999"


@pytest.mark.parametrize("seed", range(10))
def test_listings_laid_over_one_another_give_what_the_last_one_alone_gives(seed: int) -> None:
    """Interrupted anywhere, there is always a whole view; in the end nothing of the former rows is left."""
    chance = random.Random(seed)
    model = RowModel[Row](lambda r: r.name, lambda r: r)
    model.set_columns({"name": lambda r: r.name, "size": lambda r: r.size}, ("name", False))
    model.filter(chance.choice(["", "1", "row !2"]))

    def some() -> list[Row]:
        chosen = chance.sample(range(20_000), chance.choice([3, 2500, 9000]))
        return [Row(f"row-{i:05}", chance.choice([None, 1, 2, 3])) for i in chosen]

    for _ in range(6):
        listing = some()
        half = len(listing) // 2
        work = chance.choice(
            [
                lambda listing=listing, half=half: [
                    model.set_rows(listing[:half], partial=True),
                    model.add_rows(listing[half:] + listing[: half // 2]),
                    model.set_rows(listing, partial=False),
                ],
                lambda listing=listing: [model.set_rows(listing, partial=False)],
            ]
        )
        column, descending = chance.choice(["name", "size"]), chance.random() < 0.5
        for step in [*work(), model.sort_by(column, descending)]:
            for _ in step:
                assert len({entry.key for entry in model.view}) == len(model.view)
                assert model.current is None or model.current == model.view[model.cursor].row
        fresh = RowModel[Row](lambda r: r.name, lambda r: r)
        fresh.set_columns({"name": lambda r: r.name, "size": lambda r: r.size}, ("name", False))
        for step in (fresh.sort_by(column, descending), fresh.set_rows(listing, partial=False)):
            for _ in step:
                pass
        fresh.filter(model.query.text)
        seen = [[(entry.row.name, entry.row.size) for entry in one.view] for one in (model, fresh)]
        assert seen[0] == seen[1]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("values", [range(1), range(5), range(10**6)], ids=["alike", "few", "all others"])
def test_many_rows_are_sorted_as_few_are_and_equal_ones_stay(values: range, descending: bool) -> None:
    chance = random.Random(7)
    listing = [Row(f"row-{i:05}", chance.choice([None, *chance.sample(values, 1)])) for i in range(20_000)]
    chance.shuffle(listing)
    model = RowModel[Row](lambda r: r.name, lambda r: r)
    model.set_columns({"name": lambda r: r.name, "size": lambda r: r.size}, ("name", False))
    steps = sum(1 for work in (model.set_rows(listing, partial=False), model.sort_by("size", descending)) for _ in work)
    assert steps > 8
    known = sorted((r for r in listing if r.size is not None), key=lambda r: r.name)
    known.sort(key=lambda r: r.size, reverse=descending)
    unknown = sorted((r for r in listing if r.size is None), key=lambda r: r.name)
    assert [entry.row for entry in model.view] == known + unknown


async def test_what_is_no_repository_is_found_by_words_in_its_order() -> None:
    table: VirtualTable[Row] = VirtualTable(COLUMNS, key=lambda r: r.name, search=lambda r: f"{r.name} in arn:aws:x")
    table.set_rows([Row("b-one"), Row("one"), Row("two")])
    table.filter = "ONE arn:aws:x"
    assert ([entry.row.name for entry in table.model.view], table.model.query.problems) == (
        ["b-one", "one"],
        (),
    )
    table.filter = "oe"
    assert table.shown == 0


async def test_n_and_N_go_through_the_matches_of_the_last_filter() -> None:
    found = [Row(name) for name in ("apple", "bean", "cherry", "apricot", "date", "grape")]
    async with table(found) as (widget, pilot):
        await pilot.press("n")
        assert "No filter yet" in next(iter(widget.app._notifications)).message
        widget.filter = "ap"
        assert names(widget) == ["apple", "apricot", "grape"]
        await pilot.press("n")
        assert widget.current == Row("apricot")
        await pilot.press("n", "n")
        assert widget.current == Row("apple"), "round the end"
        await pilot.press("N")
        assert widget.current == Row("grape")
        widget.filter = ""
        assert (widget.shown, widget.current) == (6, Row("grape"))
        await pilot.press("N")
        assert widget.current == Row("apricot"), "among all rows"
        await pilot.press("n", "n")
        assert widget.current == Row("apple")
        widget.set_rows([Row("bean"), Row("cherry")])
        await pilot.press("n")
        assert widget.current == Row("bean"), "none is left"
