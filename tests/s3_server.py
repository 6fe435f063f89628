"""A real S3 server on the loopback interface, moto's, and what it was asked for."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from mlflow_server import free_port

STARTS_WITHIN_S = 60


@dataclass
class S3Server:
    """A server that keeps all in its memory and writes its log into a directory."""

    directory: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def environment(self, **more: str) -> dict[str, str]:
        """What leads boto to it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "an-id",
            "AWS_SECRET_ACCESS_KEY": "hunter-two",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **more,
        }

    def start(self, **environment: str) -> None:
        """Starts it, and waits until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
            )
        until_s = time.monotonic() + STARTS_WITHIN_S
        while True:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until_s, self.log
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/moto-api/", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return

    def new_user(self) -> dict[str, str]:
        """The variables with the credentials of somebody who may do all; one who checks them wants none for these calls."""
        import boto3  # noqa: PLC0415  it is only there where these tests run

        word = {"aws_access_key_id": "an-id", "aws_secret_access_key": "none"}
        iam = boto3.client("iam", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1", **word)
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.create_user(UserName="me")
        iam.put_user_policy(UserName="me", PolicyName="all", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName="me")["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    @property
    def log(self) -> str:
        """A line for each request."""
        return (self.directory / "server.log").read_text("utf-8")

    def stop(self) -> None:
        """Ends it."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None
