"""Condition keys of requests to ECR, and their types.

Sources: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, Amazon ECR.
"""

from __future__ import annotations

from difflib import get_close_matches

STRING, ARN, DATE, NUMBER, BOOL, ADDRESS = "string", "arn", "date", "number", "boolean", "address"

_NAMES = {
    STRING: (
        "aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:FederatedProvider aws:PrincipalAccount "
        "aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalServiceName aws:PrincipalServiceNamesList "
        "aws:PrincipalType aws:referer aws:RequestedRegion aws:ResourceAccount aws:ResourceOrgID "
        "aws:ResourceOrgPaths aws:SourceAccount aws:SourceIdentity aws:SourceOrgID aws:SourceOrgPaths "
        "aws:SourceVpc aws:SourceVpce aws:TagKeys aws:UserAgent aws:userid aws:username aws:VpceAccount "
        "aws:VpceOrgID aws:VpceOrgPaths aws:Ec2InstanceSourceVpc ec2:RoleDelivery identitystore:UserId "
        "ecr:AccountSetting"
    ),
    ARN: (
        "aws:PrincipalArn aws:SourceArn aws:SourceVpcArn aws:ChatbotSourceArn aws:SignInSessionArn "
        "ec2:SourceInstanceArn lambda:SourceFunctionArn ssm:SourceInstanceArn glue:CredentialIssuingService"
    ),
    DATE: "aws:CurrentTime aws:EpochTime aws:TokenIssueTime",
    NUMBER: "aws:MultiFactorAuthAge",
    BOOL: (
        "aws:MultiFactorAuthPresent aws:PrincipalIsAWSService aws:SecureTransport aws:ViaAWSService aws:AssumedRoot "
        "aws:IsMcpServiceAction"
    ),
    ADDRESS: "aws:SourceIp aws:VpcSourceIp aws:Ec2InstanceSourcePrivateIPv4",
}

TYPES = {name.lower(): kind for kind, names in _NAMES.items() for name in names.split()}

SPELLINGS = {name.lower(): name for names in _NAMES.values() for name in names.split()}
"""Names in AWS's spelling, by lower-case name."""

ALWAYS = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:useragent",
        "aws:userid",
        "aws:viaawsservice",
    }
)
"""Keys in every signed request of a user or role to ECR ("Availability" of the guide's page)."""

TAG_PREFIXES = ("aws:principaltag/", "aws:resourcetag/", "aws:requesttag/", "ecr:resourcetag/")
RESOURCE_TAG_PREFIXES = ("aws:resourcetag/", "ecr:resourcetag/")

# Keys of identity providers come with a session's token and have the provider's names.
_FEDERATION = ("saml:", "sts:", "accounts.google.com:", "graph.facebook.com:", "www.amazon.com:", "cognito-identity.")


def type_of(key: str) -> str | None:
    """The type of a key, or None if requests to ECR do not have it. Case-insensitive."""
    lower = key.lower()
    if lower.startswith(TAG_PREFIXES):
        return STRING if lower.partition("/")[2] else None
    if lower.startswith(_FEDERATION):
        return STRING
    return TYPES.get(lower)


def spelling_like(key: str) -> str | None:
    """The known key closest to a misspelled one."""
    found = get_close_matches(key.lower(), SPELLINGS, n=1, cutoff=0.8)
    if found:
        return SPELLINGS[found[0]]
    prefix, slash, rest = key.partition("/")
    tags = {
        "aws:principaltag": "aws:PrincipalTag",
        "aws:resourcetag": "aws:ResourceTag",
        "ecr:resourcetag": "ecr:ResourceTag",
    }
    similar = get_close_matches(prefix.lower(), tags, n=1, cutoff=0.8) if slash and rest else []
    return f"{tags[similar[0]]}/{rest}" if similar else None


def is_resource_tag(key: str) -> bool:
    return key.lower().startswith(RESOURCE_TAG_PREFIXES)


_FAMILIES = {
    "string": {STRING, ARN, BOOL},
    "numeric": {NUMBER},
    "date": {DATE},
    "bool": {BOOL},
    "binary": set[str](),
    "ipaddress": {ADDRESS},
    "notipaddress": {ADDRESS},
    "arn": {ARN},
}


_OPERATORS = (
    "StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike "
    "NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan "
    "NumericGreaterThanEquals DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan "
    "DateGreaterThanEquals Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike Null"
)
OPERATORS = {name.lower(): name for name in _OPERATORS.split()}
"""Condition operators in AWS's spelling, by lower-case name."""


def suits(base_operator: str, key: str) -> bool:
    """Whether the operator (lower case, without IfExists and quantifier) compares the key's type."""
    kind = type_of(key)
    if kind is None or base_operator == "null":
        return True
    if base_operator.startswith("numeric") and key.lower() == "aws:epochtime":
        return True
    family = next((name for name in _FAMILIES if base_operator.startswith(name)), None)
    return family is None or kind in _FAMILIES[family]
