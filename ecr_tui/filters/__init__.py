"""The one small query language over repositories: what ``/`` in the app and ``list --filter`` on the command line take.

    query  =  [ term { blank term } ]          all terms must hold
    term   =  [ "!" ] ( word | field )         "!" turns a term into its opposite
    word   =  text                             occurs in the name or in a tag (KEY=VALUE), in any case
    field  =  "tag:" KEY [ "=" VALUE ]         carries the tag (with exactly that value; case counts, as it does in IAM)
           |  "access:" ( "none" | "pull" | "push" | "push-pull" | "depends" )
                                               what A's policies certainly let B do, at least; "none" is certainly
                                               neither; "depends": pull or push hang on what only the request tells
           |  "mutable:" ( "yes" | "no" )      whether image tags can be moved, exceptions aside
           |  "region:" START                  its region begins with that

Double quotes hold blanks together and take the meaning from ``!``, ``:`` and ``=``; inside them ``\\`` stands before
``"`` and ``\\``. Parsing never fails: a term that is wrong or half typed is a :class:`Problem` with its place, and is
left out.

Where nothing matches, :meth:`Filter.apply` tries again loosely: the letters of a word in their order in the name
("mfr" finds my-first-repo), tags in any case and by their beginning. A loose result says so; what is negated, and the
other fields, keep their meaning in it.

What is not known of a row yet is neither true nor false: one whose policy was not read is in neither of ``access:none``
and ``!access:none``, one whose tags were not read in neither of ``tag:Team`` and ``!tag:Team``; :attr:`Result.unknown`
counts them. Words look at what is known. Access that depends is in neither, too, and not counted: ``access:depends``
selects it.
"""

from ecr_tui.filters.grammar import FIELDS, Problem
from ecr_tui.filters.index import Index, Plain, Searchable
from ecr_tui.filters.order import Order
from ecr_tui.filters.query import RANKED, Filter, Result, parse, parse_words
from ecr_tui.filters.rows import Rows
from ecr_tui.filters.terms import Span, Term

__all__ = [
    "FIELDS",
    "RANKED",
    "Filter",
    "Index",
    "Order",
    "Plain",
    "Problem",
    "Result",
    "Rows",
    "Searchable",
    "Span",
    "Term",
    "parse",
    "parse_words",
]
