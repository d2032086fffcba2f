"""The live conformance kit: what AWS answers, and whether the sandbox answers the same. See docs/contributing.md."""
