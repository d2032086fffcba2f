"""Documentation of the configuration file: an example with all settings."""

from __future__ import annotations

EXAMPLE = """\
profile-a = "prod-admin"             # account A, owner of the repositories
profile-b = "dev-acc"                # account B, which gets access
regions = ["eu-central-1", "eu-west-1"]
tags = ["Team=Payments"]             # initial tag filter
access = "push-pull"                 # or "pull", "push": default access of a grant
if-tag = ["Team=Payments"]           # default condition; [] for none; unset: from scope-tag
scope-tag = "Team"                   # default condition: the repository's value of this tag; "" for none
engine = "auto"                      # or "docker", "direct"
theme = "nord"                       # a theme of the command palette
plain = false                        # true: no frames and signs, for screen readers and logs
reduced-motion = false               # true: at most one redraw a second while waiting; plain includes it
columns = ["tags", "access", "verified", "pushed"]   # of the list; press C in the app for all columns
read-only = false                    # true: block all writes
state-dir = "~/.local/state/ecr-tui" # journal and record of verifications
cache-dir = "~/.cache/ecr-tui"       # cached listing

production = ["prod-*", "live"]      # production profiles: red frame, every write needs confirmation

[profiles."*-audit"]                 # a profile name, or a pattern with * ? [...]
read-only = true                     # block all writes with this profile

[profiles.prod-sandbox]              # an exact name overrides patterns
production = false

[[consumers]]                        # one that can be account B; repeat the table for each
name = "payments-dev"
profile = "dev-acc"                  # for verification
account = "222222222222"             # default: the profile's account
principals = ["role/ci", "user/devusr2"]   # of its grants; default: the profile's caller

[[consumers]]
name = "everyone"
principals = ["org/o-a1b2c3d4e5"]    # forms of --to; without a profile it cannot be verified

[trusted]                            # partners; the audit then reports all others as strangers
accounts = ["222222222222"]
organizations = ["o-a1b2c3d4e5"]
ous = ["o-f6g7h8i9j0/r-ab12/ou-ab12-11111111/*"]   # /* includes the units below
services = ["lambda.amazonaws.com"]

[confirm]
grant = "risky"                      # or "always"
undo = "earlier"                     # writes of other sessions; or "always"
verify = "never"                     # or "always"

[keys]                               # action ids: ecr-tui config keys
change.grant = "J"
find.filter = ["/", "ctrl+s"]
prove.audit = ""                     # no key, palette only
"""
"""``config example`` prints it, docs/configuration.md shows it."""
