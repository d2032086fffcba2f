"""The query language over repositories: what ``/`` in the app and ``list --filter`` on the command line take.

    query  =  [ term { blank term } ]          all terms must hold
    term   =  [ "!" ] ( word | field )         "!" negates a term
    word   =  text                             occurs in the name or in a tag (KEY=VALUE), in any case
    field  =  "name:" text                     occurs in the name
           |  "tag:" KEY [ "=" VALUE ]         carries the tag (with exactly that value; case counts, as it does in IAM)
           |  "access:" ( "none" | "pull" | "push" | "push-pull" | "depends" )
                                               what A's policies certainly let B do, at least; "none" is certainly
                                               neither; "depends": pull or push depend on what only the request tells
           |  "principal:" text                occurs in a principal that the policy allows something; "*": everybody
           |  "finding:" ( "any" | "none" | "error" | "warning" | "info" | ID )
                                               the policy has such a finding; ID is a rule's id or its beginning
           |  "mutable:" ( "yes" | "no" )      whether image tags can be moved, exceptions aside
           |  "region:" START                  its region begins with that

``*`` and ``?`` outside of quotes make a text a glob. That of a word holds for the whole name, the part of it after a
slash, or a whole tag ("api-*"); those of ``name:``, ``tag:`` and ``principal:`` for the whole of what they look at, or
the part of a name or principal after a slash.

Double quotes hold blanks together and take the meaning from ``!``, ``:``, ``=``, ``*`` and ``?``; inside them ``\\``
stands before ``"`` and ``\\``. Parsing never fails: a term that is wrong or unfinished is a :class:`Problem` with its
place. An unfinished one is left out; with a wrong one, the query selects nothing (:attr:`Filter.broken`).

Where nothing matches, :meth:`Filter.apply` tries again loosely: the letters of a word in their order in the name
("mfr" finds my-first-repo), tags in any case and by their beginning. A loose result says so; what is negated, and the
other fields, keep their meaning in it.

What is not known of a row yet is neither true nor false: one whose policy was not read is in neither of ``access:none``
and ``!access:none``, one whose tags were not read in neither of ``tag:Team`` and ``!tag:Team``; :attr:`Result.unknown`
counts them. Words look at what is known. Access that depends is in neither, too, and not counted: ``access:depends``
selects it.
"""

from ecr_tui.listing.filters.completion import complete_query, complete_tags
from ecr_tui.listing.filters.grammar import FIELDS, Problem
from ecr_tui.listing.filters.query import RANKED, Filter, Result, parse, parse_words
from ecr_tui.listing.filters.terms import UNREAD, Entry, Plain, Policies, Searchable, Span, Term

__all__ = [
    "FIELDS",
    "RANKED",
    "UNREAD",
    "Entry",
    "Filter",
    "Plain",
    "Policies",
    "Problem",
    "Result",
    "Searchable",
    "Span",
    "Term",
    "complete_query",
    "complete_tags",
    "parse",
    "parse_words",
]
