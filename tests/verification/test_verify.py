"""The use case alone, with engines and accounts that fail in chosen ways: nothing raised, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event as CancelEvent

import pytest

from ecr_tui.aws.images import TaggedImage
from ecr_tui.aws.model import Identity, RegistryToken, Repository, Role
from ecr_tui.errors import CredentialsError, DeniedError, EcrTuiError, EnvironmentFailure
from ecr_tui.policy.actions import Access
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.registry.engine import Credentials, Engine, Progress, ProgressSink, Reference, RegistryError, Transfer
from ecr_tui.registry.probe import ProbeImage
from ecr_tui.secret import Secret
from ecr_tui.verification.ports import Parties
from ecr_tui.verification.report import Event, Report, StageEnded, StageName, StageStarted, Status, Verdict, stages_of
from ecr_tui.verification.tag_switch import deciding_tag
from ecr_tui.verification.verify import Options, Verification

ARN = "arn:aws:iam::222222222222:user/devusr2"
DIGEST = "sha256:" + "a" * 64
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REASON = (
    f"User: {ARN} is not authorized to perform: ecr:InitiateLayerUpload on resource: "
    "arn:aws:ecr:eu-central-1:111111111111:repository/app because no resource-based policy allows the "
    "ecr:InitiateLayerUpload action"
)


def _repository(name: str = "app", tags: dict[str, str] | None = None) -> Repository:
    return Repository(
        name=name,
        arn=f"arn:aws:ecr:eu-central-1:111111111111:repository/{name}",
        uri=f"111111111111.dkr.ecr.eu-central-1.amazonaws.com/{name}",
        region="eu-central-1",
        account="111111111111",
        tags=tags if tags is not None else {"Team": "Payments"},
    )


class Clock:
    """Time that passes only when the code under test looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


@dataclass
class FakeEngine:
    name: str = "docker"
    description: str = "an engine"
    push_results: list[EcrTuiError | Transfer] = field(default_factory=lambda: [Transfer(DIGEST, 100)])
    pull_result: EcrTuiError | Transfer = field(default_factory=lambda: Transfer(DIGEST, 100))
    login_error: EcrTuiError | None = None
    on_push: Callable[[], None] = lambda: None
    removed: list[Reference] = field(default_factory=list)
    pushes: int = 0
    closed: bool = False

    def login(self, host: str, credentials: Credentials, cancel: CancelEvent) -> None:
        if self.login_error:
            raise self.login_error

    def tag(self, image: ProbeImage, reference: Reference, cancel: CancelEvent) -> None: ...

    def push(
        self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: CancelEvent
    ) -> Transfer:
        self.pushes += 1
        self.on_push()
        progress(Progress("abc", "Pushing", 10, 100))
        result = self.push_results.pop(0) if len(self.push_results) > 1 else self.push_results[0]
        if isinstance(result, EcrTuiError):
            raise result
        return result

    def pull(
        self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: CancelEvent
    ) -> Transfer:
        if isinstance(self.pull_result, EcrTuiError):
            raise self.pull_result
        return self.pull_result

    def remove_local(self, reference: Reference) -> None:
        self.removed.append(reference)

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeConsumer:
    error: EcrTuiError | None = None
    arn: str = ARN
    probes: list[str] = field(default_factory=list)
    probe_answer: str | None = None
    reaches: set[str] = field(default_factory=set)

    def identity(self) -> Identity:
        if self.error:
            raise self.error
        return Identity(Role.CONSUMER, "dev-acc", self.arn.split(":")[4], self.arn, "AIDA", "eu-central-1")

    def token(self, region: str) -> RegistryToken:
        return RegistryToken("AWS", Secret("the-token"), NOW + timedelta(hours=12))

    def probe(self, repository: Repository, action: str) -> str | None:
        self.probes.append(f"{repository.name} {action}")
        if repository.name != "app":
            return None if repository.name in self.reaches else REASON
        return self.probe_answer


@dataclass
class FakeOwner:
    policy: str | None = None
    neighbours: list[Repository] = field(default_factory=lambda: [_repository("other", {"Team": "Search"})])
    stored: TaggedImage | None = None
    live_tags: dict[str, str] = field(default_factory=lambda: {"Team": "Payments"})
    delete_error: EcrTuiError | None = None
    deleted: list[tuple[str, str]] = field(default_factory=list)

    def policy_text(self, repository: Repository) -> str | None:
        return self.policy

    def delete_image(self, repository: Repository, *, digest: str = "", tag: str = "") -> None:
        if self.delete_error:
            raise self.delete_error
        self.deleted.append(("digest", digest) if digest else ("tag", tag))

    def ungranted(self, repository: Repository, principal: str, limit: int) -> list[Repository]:
        return self.neighbours[:limit]

    def image(self, repository: Repository, tag: str = "") -> TaggedImage | None:
        return self.stored

    def tags(self, repository: Repository) -> dict[str, str]:
        return dict(self.live_tags)

    def set_tag(self, repository: Repository, key: str, value: str) -> None:
        self.live_tags[key] = value

    def remove_tag(self, repository: Repository, key: str) -> None:
        self.live_tags.pop(key, None)


@dataclass
class FakeCheck:
    answers: dict[str, str] = field(
        default_factory=lambda: {"ecr:BatchGetImage": "denied", "ecr:BatchCheckLayerAvailability": "denied"}
    )

    def check(
        self, host: str, repository: str, credentials: Credentials, cancel: CancelEvent | None = None
    ) -> dict[str, str]:
        return self.answers


@dataclass
class FakeNotes:
    """``open``: what is noted and not settled."""

    open: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    error: EcrTuiError | None = None

    def _note(self, what: str) -> str:
        if self.error:
            raise self.error
        self.open[str(len(self.open))] = what
        return str(len(self.open) - 1)

    def probe(self, repository: Repository, tag: str, engine: str) -> str:
        return self._note(f"{engine} {tag}")

    def untagging(self, repository: Repository, key: str, value: str) -> str:
        return self._note(f"{key}={value}")

    def settle(self, identifier: str) -> None:
        del self.open[identifier]

    def leave(self, identifier: str, why: str) -> None:
        self.left.append(why)


@dataclass
class Scene:
    engine: FakeEngine = field(default_factory=FakeEngine)
    consumer: FakeConsumer = field(default_factory=FakeConsumer)
    owner: FakeOwner = field(default_factory=FakeOwner)
    check: FakeCheck = field(default_factory=FakeCheck)
    notes: FakeNotes = field(default_factory=FakeNotes)
    options: Options = field(default_factory=Options)
    second: FakeEngine | None = None
    repository: Repository = field(default_factory=_repository)
    cancel: CancelEvent = field(default_factory=CancelEvent)
    events: list[Event] = field(default_factory=list)

    def run(self) -> Report:
        second: Callable[[], Engine] | None = (lambda: self.second) if self.second else None  # type: ignore[return-value]
        parties = Parties(
            self.repository,
            self.consumer,
            self.owner,
            self.engine,
            second,
            self.check,
            self.notes,
            self.cancel,
            clock=Clock(),
            wait=lambda _: None,
        )
        return Verification(parties, self.options, self.events.append, now=lambda: NOW).run()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def _status(report: Report, name: StageName) -> Status:
    return next(s.status for s in report.stages if s.name is name)


def test_all_stages_in_order_and_told_as_events(scene: Scene) -> None:
    report = scene.run()
    assert report.passed
    assert report.verdict is Verdict.ALLOWED
    assert [s.name for s in report.stages] == list(stages_of(Access.PUSH_PULL))
    assert [e.name for e in scene.events if isinstance(e, StageStarted)] == list(stages_of(Access.PUSH_PULL))
    assert [e.stage for e in scene.events if isinstance(e, StageEnded)] == list(report.stages)
    assert scene.owner.deleted == [("digest", DIGEST)]
    assert len(scene.engine.removed) == 1


def test_read_alone_asks_ecr_and_needs_no_token(scene: Scene) -> None:
    scene.options = Options(access=Access.READ)
    report = scene.run()
    assert (report.verdict, report.exit_code) == (Verdict.ALLOWED, 0)
    assert report.headline() == f"ALLOWED: {ARN} can read app"
    assert (report.can_read, report.can_push, report.can_pull) == (True, None, None)
    assert scene.consumer.probes == [f"app {action}" for action in Access.READ.actions]
    done = [one.name for one in report.stages if one.status is not Status.SKIPPED]
    assert done == [StageName.IDENTITY, StageName.READ]
    assert scene.engine.pushes == 0


def test_a_read_that_is_denied_names_the_action(scene: Scene) -> None:
    scene.options = Options(access=Access.READ_PULL)
    scene.consumer.probe_answer = REASON.replace("InitiateLayerUpload", "DescribeImages")
    report = scene.run()
    failure = report.failure
    assert failure is not None
    assert (report.verdict, failure.name, failure.action) == (Verdict.DENIED, StageName.READ, "ecr:DescribeImages")
    assert (report.can_read, report.can_pull) == (False, None)


def test_no_secret_in_the_report_or_the_events(scene: Scene) -> None:
    report = scene.run()
    assert "the-token" not in repr(report) + repr(scene.events) + str(report.to_json())


def test_a_denied_push_names_what_the_policy_lacks(scene: Scene) -> None:
    scene.engine.push_results = [RegistryError("denied", detail=f"denied: {REASON}", status=403, code="DENIED")]
    report = scene.run()
    failure = report.failure
    assert failure is not None
    assert (report.verdict, report.exit_code) == (Verdict.DENIED, 1)
    assert (failure.name, failure.action) == (StageName.PUSH, "ecr:InitiateLayerUpload")
    assert failure.cause == "app has no repository policy, so other accounts have no access."
    assert failure.fix == f"ecr-tui grant app --to {ARN} --if-tag Team=Payments"
    assert _status(report, StageName.PULL) is Status.SKIPPED
    # Refused for want of permission: nothing can have been written, so A is not asked to delete anything.
    assert scene.owner.deleted == []
    assert report.cleaned_up


def test_a_condition_that_does_not_match_is_named(scene: Scene) -> None:
    scene.repository = _repository(tags={"Team": "payments"})
    scene.owner.policy = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Principal":{"AWS":"222222222222"},'
        '"Action":"ecr:*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"Payments"}}}]}'
    )
    scene.engine.push_results = [RegistryError("denied", detail=REASON, status=403)]
    failure = scene.run().failure
    assert failure is not None
    assert "aws:ResourceTag/Team" in failure.cause
    assert '"payments"' in failure.cause


def test_a_hidden_reason_is_asked_of_the_other_engine(scene: Scene) -> None:
    scene.engine.push_results = [RegistryError("EOF", detail="EOF")]
    scene.second = FakeEngine(
        "direct", push_results=[RegistryError("denied", detail=REASON, status=403, code="DENIED")]
    )
    report = scene.run()
    assert report.failure is not None
    assert report.failure.action == "ecr:InitiateLayerUpload"
    assert report.verdict is Verdict.DENIED
    assert scene.second.closed


def test_a_push_that_only_the_container_engine_cannot_do(scene: Scene) -> None:
    scene.engine.push_results = [RegistryError("EOF", detail="EOF")]
    scene.second = FakeEngine("direct")
    report = scene.run()
    assert report.verdict is not Verdict.ALLOWED
    assert any("without the container engine" in note for note in report.notes)
    # The second opinion did push, so the image must go.
    assert [kind for kind, _ in scene.owner.deleted] == ["tag"]


def test_a_head_without_text_is_asked_of_the_api(scene: Scene) -> None:
    scene.engine = FakeEngine(
        "direct",
        push_results=[RegistryError("403", status=403, request="HEAD blob", action="ecr:BatchCheckLayerAvailability")],
    )
    scene.consumer.probe_answer = REASON.replace("InitiateLayerUpload", "BatchCheckLayerAvailability").replace(
        "resource-based", "identity-based"
    )
    failure = scene.run().failure
    assert failure is not None
    assert scene.consumer.probes[0] == "app ecr:BatchCheckLayerAvailability"
    assert failure.side == "B's identity policy"


ALLOWS = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Principal":{"AWS":"222222222222"},'
    '"Action":"ecr:*"}]}'
)


def test_a_denial_just_after_a_grant_is_tried_again(scene: Scene) -> None:
    scene.owner.policy = ALLOWS
    denied = RegistryError("denied", detail=REASON, status=403, code="DENIED")
    scene.options = Options(settle=20.0)
    scene.engine.push_results = [denied, denied, Transfer(DIGEST, 100)]
    report = scene.run()
    assert report.passed
    assert scene.engine.pushes == 3


def test_a_denial_that_the_policy_explains_is_not_waited_for(scene: Scene) -> None:
    scene.options = Options(settle=20.0)
    scene.engine.push_results = [RegistryError("denied", detail=REASON, status=403, code="DENIED")]
    assert scene.run().verdict is Verdict.DENIED
    assert scene.engine.pushes == 1


def test_a_denial_that_stays_ends_the_wait(scene: Scene) -> None:
    scene.owner.policy = ALLOWS
    scene.options = Options(settle=2.0)
    scene.engine.push_results = [RegistryError("denied", detail=REASON, status=403, code="DENIED")]
    assert scene.run().verdict is Verdict.DENIED
    assert scene.engine.pushes > 1


def test_a_failure_that_is_no_denial_is_cleaned_up_by_tag(scene: Scene) -> None:
    scene.engine.push_results = [RegistryError("the registry broke", detail="500", status=500)]
    report = scene.run()
    assert report.verdict is Verdict.ERROR
    assert [kind for kind, _ in scene.owner.deleted] == ["tag"]


def test_a_pull_that_is_denied_after_a_push_is_cleaned_up(scene: Scene) -> None:
    scene.engine.pull_result = RegistryError("denied", detail=REASON, status=403, code="DENIED")
    report = scene.run()
    assert report.verdict is Verdict.DENIED
    assert _status(report, StageName.PUSH) is Status.OK
    assert scene.owner.deleted == [("digest", DIGEST)]


def test_another_digest_is_an_error(scene: Scene) -> None:
    scene.engine.pull_result = Transfer("sha256:" + "b" * 64, 100)
    report = scene.run()
    assert report.verdict is Verdict.ERROR
    assert _status(report, StageName.DIGEST) is Status.FAILED


def test_a_cancel_in_the_push_still_cleans_up(scene: Scene) -> None:
    scene.engine.on_push = scene.cancel.set
    report = scene.run()
    assert _status(report, StageName.PULL) is Status.FAILED
    assert scene.owner.deleted == [("digest", DIGEST)]
    assert len(scene.engine.removed) == 1
    assert report.exit_code == 1


@pytest.mark.parametrize("name", stages_of(Access.PUSH_PULL))
def test_a_listener_that_fails_stops_no_cleanup(scene: Scene, name: StageName) -> None:
    class Fragile(list[Event]):
        def append(self, event: Event, /) -> None:
            if isinstance(event, StageStarted) and event.name is name:
                raise BrokenPipeError("nobody listens")

    scene.events = Fragile()
    with pytest.raises(BrokenPipeError, match="nobody listens"):
        scene.run()
    assert scene.owner.deleted == [("digest", DIGEST)]
    assert len(scene.engine.removed) == 1


def test_credentials_that_fail_are_an_environment_failure(scene: Scene) -> None:
    scene.consumer.error = CredentialsError("SSO session expired", hint="aws sso login --profile dev", side="account B")
    report = scene.run()
    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert report.stages[0].fix == "aws sso login --profile dev"
    assert {s.status for s in report.stages[1:]} == {Status.SKIPPED}


def test_a_denied_token_is_bs_identity_policy(scene: Scene) -> None:
    text = f"User: {ARN} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action"  # noqa: E501

    def refuse(region: str) -> RegistryToken:
        raise DeniedError("denied", detail=text, side="account B")

    scene.consumer.token = refuse  # type: ignore[method-assign]
    failure = scene.run().failure
    assert failure is not None
    assert (failure.name, failure.status) == (StageName.TOKEN, Status.DENIED)
    assert failure.side == "B's identity policy"


def test_another_partition_is_refused_before_anything_is_sent(scene: Scene) -> None:
    scene.consumer.arn = "arn:aws-cn:iam::222222222222:user/devusr2"
    report = scene.run()
    assert report.exit_code == 3
    assert scene.engine.pushes == 0


def test_a_leak_is_the_loudest_result(scene: Scene) -> None:
    scene.check.answers = {"ecr:BatchGetImage": "allowed", "ecr:BatchCheckLayerAvailability": "denied"}
    report = scene.run()
    assert report.exit_code == 1
    assert report.headline().startswith("LEAK")
    assert report.to_json()["isolation"]["status"] == "leaked"


def test_isolation_asks_the_api_where_the_registry_does_not_tell(scene: Scene) -> None:
    scene.check.answers = {"ecr:BatchGetImage": "unknown"}
    scene.consumer.reaches = {"other"}
    assert scene.run().exit_code == 1
    scene.consumer.reaches = set()
    assert scene.run().exit_code == 0


@pytest.mark.parametrize(("isolation", "neighbours"), [("none", [_repository("other")]), ("auto", [])])
def test_isolation_can_be_left_out(scene: Scene, isolation: str, neighbours: list[Repository]) -> None:
    scene.options = Options(isolation=isolation)
    scene.owner.neighbours = neighbours
    report = scene.run()
    assert report.passed
    assert _status(report, StageName.ISOLATION) is Status.SKIPPED


def test_an_isolation_check_that_fails_is_not_a_proof(scene: Scene) -> None:
    def broken(repository: Repository, principal: str, limit: int) -> list[Repository]:
        raise EnvironmentFailure("no answer")

    scene.owner.ungranted = broken  # type: ignore[method-assign]
    report = scene.run()
    assert report.to_json()["isolation"]["status"] == "failed"
    assert (report.verdict, report.exit_code) == (Verdict.ALLOWED, 1)


def test_a_cleanup_that_fails_says_how_to_finish_it(scene: Scene) -> None:
    scene.owner.delete_error = DeniedError("account A may not ecr:BatchDeleteImage", side="account A")
    report = scene.run()
    assert report.cleaned_up is False
    cleanup = report.stages[-1]
    assert "aws ecr batch-delete-image" in cleanup.fix
    assert "ecr-tui-verify-" in cleanup.fix


def test_a_stale_token_is_no_denial_although_it_is_a_403(scene: Scene) -> None:
    scene.engine.push_results = [
        RegistryError(
            "403",
            detail="denied: Your Authorization Token has expired. Please run 'aws ecr get-login-password'.",
            status=403,
            code="DENIED",
        )
    ]
    report = scene.run()
    assert report.verdict is Verdict.ERROR
    assert report.failure is not None
    assert report.failure.side == "credentials"
    # It says nothing of what had been written before it.
    assert [kind for kind, _ in scene.owner.deleted] == ["tag"]


def test_what_is_made_is_noted_before_and_settled_after(scene: Scene) -> None:
    seen: list[dict[str, str]] = []
    scene.engine.on_push = lambda: seen.append(dict(scene.notes.open))
    assert scene.run().passed
    assert [len(one) for one in seen] == [1]
    assert scene.notes.open == {}


def test_a_note_that_cannot_be_written_is_said_and_keeps_nobody_waiting(scene: Scene) -> None:
    scene.notes.error = EnvironmentFailure("the record cannot be used")
    report = scene.run()
    assert report.passed
    assert any("the record cannot be used" in note for note in report.notes)


def test_without_a_record_no_tag_is_taken_away(scene: Scene) -> None:
    scene.notes.error = EnvironmentFailure("the record cannot be used")
    scene.owner.policy = TAGGED
    scene.check.answers = {"ecr:BatchGetImage": "allowed"}
    scene.options = Options(tag_switch=True, isolation="none")
    report = scene.run()
    assert report.tag_switch is not None
    assert report.tag_switch.message == "unchanged: the record cannot be used"
    assert scene.owner.live_tags == {"Team": "Payments"}


TAGGED = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Principal":{"AWS":"222222222222"},'
    '"Action":"ecr:*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"Payments"}}}]}'
)


def test_a_tag_switch_waits_for_aws(scene: Scene) -> None:
    """Access ends and comes back some questions after the tag does."""
    answers = {True: iter(["allowed", "denied", "denied", "allowed"]), False: iter(["allowed", "allowed", "denied"])}

    def check(*_: object, **__: object) -> dict[str, str]:
        return {"ecr:BatchGetImage": next(answers["Team" in scene.owner.live_tags])}

    scene.check.check = check  # type: ignore[method-assign]
    scene.owner.policy = TAGGED
    scene.options = Options(tag_switch=True, isolation="none", switch_settle=60.0)
    report = scene.run()
    assert report.tag_switch is not None
    assert [(one.name, one.status) for one in report.tag_switch.steps] == [
        ("remove", Status.OK),
        ("expect denial", Status.OK),
        ("restore", Status.OK),
        ("expect access", Status.OK),
    ]
    assert all(next(rest, None) is None for rest in answers.values())


@pytest.mark.parametrize(
    ("policy", "tags", "expected"),
    [
        (TAGGED, {"Team": "Payments", "Stage": "prod"}, ("Team", "Payments")),
        (TAGGED, {"Team": "Search"}, None),
        (ALLOWS, {"Team": "Payments"}, None),
        (TAGGED.replace("aws:ResourceTag/Team", "ecr:ResourceTag/Team"), {"Team": "Payments"}, ("Team", "Payments")),
        (TAGGED.replace("aws:ResourceTag/Team", "aws:ResourceTag/aws:x"), {"aws:x": "Payments"}, None),
        (
            # Whether the organisation fits, only the live request tells.
            TAGGED.replace('"Payments"}', '"Payments","aws:PrincipalOrgID":"o-1"}'),
            {"Team": "Payments"},
            ("Team", "Payments"),
        ),
    ],
)  # fmt: skip
def test_the_tag_that_decides(policy: str, tags: dict[str, str], expected: tuple[str, str] | None) -> None:
    document = PolicyDocument.parse(policy)
    found = deciding_tag(document, ARN, _repository(tags=tags), frozenset({"ecr:BatchGetImage"}))
    assert found == expected


def test_a_login_that_only_the_container_engine_cannot_do_is_no_access(scene: Scene) -> None:
    words = "login attempt to https://x/v2/ failed with status: 403 Forbidden"
    scene.engine.login_error = RegistryError("x", detail=words, status=403)
    scene.second = FakeEngine("direct")
    report = scene.run()
    assert report.verdict is Verdict.ERROR
    assert report.can_push is None
    assert report.notes == (
        "The registry accepts the token without the container engine: the failure is between the engine and the "
        "registry.",
    )


def test_a_token_that_the_registry_takes_no_longer_is_found_behind_a_refusal_without_words(scene: Scene) -> None:
    """The API allows the action, so the registry's refusal must be about the token."""
    scene.engine = FakeEngine(
        "direct",
        push_results=[RegistryError("403", status=403, request="HEAD blob", action="ecr:BatchCheckLayerAvailability")],
    )
    expired = RegistryError("x", detail="Your Authorization Token has expired.", status=403, code="DENIED")

    def login(*_: object) -> None:
        if scene.engine.pushes:
            raise expired

    scene.engine.login = login  # type: ignore[method-assign]
    failure = scene.run().failure
    assert failure is not None
    assert (failure.pattern, failure.side, failure.status) == ("token-expired", "credentials", Status.FAILED)


def test_an_image_that_another_has_put_there_meanwhile(scene: Scene) -> None:
    """The tag is taken, so the push was authorised; what is under it is not what was pushed."""
    taken = RegistryError("x", detail="tag invalid: The image tag 'x' already exists", status=400, code="TAG_INVALID")
    scene.engine = FakeEngine("direct", push_results=[taken])
    report = scene.run()
    assert report.can_push
    assert _status(report, StageName.PUSH) is Status.OK
    assert _status(report, StageName.DIGEST) is Status.FAILED
    assert [kind for kind, _ in scene.owner.deleted] == ["tag"]
