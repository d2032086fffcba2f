"""The configuration file's documentation: an example that sets everything there is."""

from __future__ import annotations

EXAMPLE = """\
profile-a = "prod-admin"             # account A, the repositories' owner
profile-b = "dev-acc"                # account B, who is granted access
regions = ["eu-central-1", "eu-west-1"]
tags = ["Team=Payments"]             # the tag filter at the start
access = "push-pull"                 # or "pull", "push": what g and `grant` give unless told otherwise
if-tag = ["Team=Payments"]           # the condition to begin with; [] for none; left out: as scope-tag says
scope-tag = "Team"                   # the repository's own value of this tag is the condition; "" for none
engine = "auto"                      # or "docker", "direct"
theme = "nord"                       # any theme of the command palette
columns = ["tags", "access", "verified", "pushed"]   # of the list; C in the app has all of them
read-only = false                    # true: nothing is written, whatever the profile
state-dir = "~/.local/state/ecr-tui" # the journal and the record of verifications
cache-dir = "~/.cache/ecr-tui"       # the last listing

production = ["prod-*", "live"]      # profiles with a red frame, where every write asks first

[profiles."*-audit"]                 # a profile's name, or a pattern with * ? [...]
read-only = true                     # nothing is written with it

[profiles.prod-sandbox]              # the name itself decides over patterns
production = false

[confirm]
grant = "risky"                      # or "always"
undo = "earlier"                     # what another session wrote; or "always"
verify = "never"                     # or "always"

[keys]                               # ids: ecr-tui config keys
change.grant = "W"
find.filter = ["/", "ctrl+s"]
prove.audit = ""                     # no key; the palette still has it
"""
"""README shows it, a test compares the two and reads it; ``config example`` prints it."""
