"""Query language for repositories: ``/`` in the app and ``list --filter`` on the command line.

    query  =  [ term { blank term } ]          all terms must hold
    term   =  [ "!" ] ( word | field )         "!" negates a term
    word   =  text                             occurs in the name or in a tag (KEY=VALUE), case-insensitive
    field  =  "name:" text                     occurs in the name
           |  "tag:" KEY [ "=" VALUE ]         has the tag (with exactly that value; case-sensitive, as in IAM)
           |  "access:" ( "none" | "pull" | "push" | "push-pull" | "depends" )
                                               minimum access of B by A's policies; "none": certainly neither;
                                               "depends": pull or push depend on facts of the request |  "principal:"
                                               text                occurs in a principal with an Allow in the policy;
                                               "*": everyone |  "finding:" ( "any" | "none" | "error" | "warning" |
                                               "info" | ID ) the policy has such a finding; ID is a rule's id or its
                                               beginning |  "mutable:" ( "yes" | "no" )      whether image tags are
                                               mutable, ignoring exceptions |  "region:" START its region begins with
                                               the text

``*`` and ``?`` outside of quotes make a text a glob. The glob of a word matches the whole name, its part after a slash,
or a whole tag ("api-*"); those of ``name:``, ``tag:`` and ``principal:`` match the whole text, or the part of a name or
principal after a slash.

Double quotes group text with blanks and make ``!``, ``:``, ``=``, ``*`` and ``?`` literal; inside them ``\\`` escapes
``"`` and ``\\``. Parsing never fails: an invalid or unfinished term is a :class:`Problem` with its place. An unfinished
term is ignored; an invalid one makes the query select nothing (:attr:`Filter.broken`).

If nothing matches, :meth:`Filter.apply` falls back to a fuzzy match: the letters of a word in order in the name ("mfr"
finds my-first-repo), tags case-insensitive and by prefix. The result is marked as loose; negated terms and other fields
keep their meaning.

Unknown facts are neither true nor false: a row whose policy was not read matches neither ``access:none`` nor
``!access:none``, one whose tags were not read neither ``tag:Team`` nor ``!tag:Team``; :attr:`Result.unknown` counts
them. Words match known text. Access that depends also matches neither and is not counted: ``access:depends`` selects
it.
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
