"""AWS services that pull images for their users and replace ECR's messages with their own."""

from __future__ import annotations

from ecr_tui.diagnosis.failure import NETWORK, REPOSITORY_POLICY, REPOSITORY_STATE, UNKNOWN, Failure

SERVICES: tuple[Failure, ...] = (
    Failure(
        "lambda-not-allowed",
        None,
        "pull",
        REPOSITORY_POLICY,
        "A's repository policy does not allow Lambda to read the image",
        "The service lambda.amazonaws.com pulls the image itself. For cross-account access the repository policy "
        "needs two statements: one for the function's account, and one for the service with a condition on "
        "aws:SourceArn. Both need ecr:BatchGetImage and ecr:GetDownloadUrlForLayer.",
        'Add to the policy of {repository}: {{"Effect": "Allow", "Principal": {{"Service": "lambda.amazonaws.com"}}, '
        '"Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Condition": {{"ArnLike": {{"aws:SourceArn": '
        '"arn:aws:lambda:{region}:ACCOUNT_B:function:*"}}}}}}   # and grant ACCOUNT_B: ecr-tui grant '
        "{repository} --to ACCOUNT_B --access pull",
        ("Lambda does not have permission to access the ECR image",),
        (
            (
                r"\blambda\b",
                "permission|access|denied",
                r"\b(?:ecr )?image\b|\becr\b",
                "not|lost|denied|lacks?|missing",
            ),
            ("imageaccessdenied",),
        ),
        action="ecr:BatchGetImage",
        denied=True,
    ),
    Failure(
        "service-not-allowed",
        None,
        "pull",
        REPOSITORY_POLICY,
        "A's repository policy does not allow an AWS service to read the image",
        "The service (SageMaker, App Runner, CodeBuild …) pulls the image as its own principal or with a role. The "
        "repository policy must allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and "
        "ecr:BatchCheckLayerAvailability for that principal.",
        'Add to the policy of {repository}: {{"Effect": "Allow", "Principal": {{"Service": '
        '"sagemaker.amazonaws.com"}}, "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", '
        '"ecr:GetDownloadUrlForLayer"]}}   # or the role that the service uses',
        ("The repository of your image does not grant ecr:BatchGetImage permission to sagemaker.amazonaws.com",),
        (
            ("does not grant", "ecr:|repository|permission"),
            (r"app ?runner|authenticationconfiguration", "access role|pull your application image"),
            (
                r"sagemaker|app ?runner|codebuild|batch|glue|emr\b|bedrock",
                r"\becr\b|repository|image",
                "permission|not authorized|access (?:was )?denied|cannot access|can't access",
            ),
        ),
        action="ecr:BatchGetImage",
        denied=True,
    ),
    Failure(
        "codebuild-credentials",
        None,
        "pull",
        "CodeBuild project",
        "CodeBuild's own credentials cannot pull across accounts",
        "A build image from another account's ECR must be pulled with the project's service role: "
        "imagePullCredentialsType CODEBUILD works only for images of CodeBuild and of the same account.",
        "Set imagePullCredentialsType to SERVICE_ROLE, and grant the service role pull access to the repository.",
        ("cannot use a cross-account ECR image with imagePullCredentialsType CODEBUILD",),
        (("imagepullcredentialstype",), ("cross-account ecr image",)),
    ),
    Failure(
        "task-network",
        None,
        "pull",
        NETWORK,
        "The task cannot reach ECR",
        "A task in a private subnet reaches ECR through a NAT gateway, or through VPC endpoints for ecr.api and "
        "ecr.dkr, whose security groups allow port 443, and a gateway endpoint for S3.",
        "Check the subnet's route table (NAT gateway), or the VPC endpoints com.amazonaws.{region}.ecr.api, "
        "ecr.dkr and s3.",
        ("There is a connection issue between the task and Amazon ECR",),
        (("connection issue between the task",), ("check your task network configuration",)),
    ),
    Failure(
        "image-unavailable",
        None,
        "pull",
        REPOSITORY_STATE,
        "The service does not find the image",
        "The tag or digest does not exist in this repository and region, or the service has no access to it.",
        "aws ecr describe-images --repository-name {repository}   # as account A, in the image's region",
        ("Source image app:v1 does not exist. Provide a valid source image.", "ImageDeleted"),
        (
            ("source image", "does not exist|not valid|not found"),
            ("imagedeleted|invalidimage(?:name)?\\b",),
            ("either the image does not exist or its permissions",),
        ),
    ),
    Failure(
        "image-pull-backoff",
        None,
        "pull",
        UNKNOWN,
        "Kubernetes waits before it pulls the image again",
        "An earlier pull failed; this line does not say why. The pod's events have the runtime's error.",
        "kubectl describe pod POD   # then run ecr-tui explain with the line that begins with Failed to pull image",
        ("Back-off pulling image", "ImagePullBackOff"),
        (("imagepullbackoff",), ("back-?off pulling image",), ("^(?:error: )?errimagepull",)),
        consequence=True,
    ),
)
