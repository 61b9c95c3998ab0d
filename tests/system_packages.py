"""Install the servers and the browser that the suite starts, or say what to install.

On Debian and Ubuntu as root, apt installs what is missing. Elsewhere one line names it
and the exit code is 1: a suite that skips half of itself proves nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROOF = {
    "chromium": "chromium",
    "ldap-utils": "ldapsearch",
    "libreoffice-calc": "soffice",
    "slapd": "slapd",
    "mariadb-server": "mariadbd",
    "postgresql": "postgres",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
}
"""Package → the program or file that shows it is there."""


def is_there(package: str) -> bool:
    proof = PROOF[package]
    if Path(proof).is_absolute():
        return Path(proof).exists()
    beside = Path("/usr/sbin", proof)
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{proof}")
    return bool(shutil.which(proof) or beside.exists() or any(versions))


def main(packages: list[str]) -> int:
    missing = [package for package in packages if not is_there(package)]
    if not missing:
        return 0
    apt = shutil.which("apt-get")
    if apt is None or os.name != "posix" or os.geteuid() != 0:
        sys.stderr.write(
            f"make test also needs {' '.join(missing)} (names of Debian and Ubuntu: "
            f"sudo apt-get install --no-install-recommends {' '.join(missing)})\n"
        )
        return 1
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # A server package must not start its service here; the tests start their own.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        subprocess.run([apt, "update", "-qq"], check=True, env=quiet)
        install = [apt, "install", "-y", "-qq", "--no-install-recommends"]
        subprocess.run([*install, *missing], check=True, env=quiet)
    finally:
        if ours:
            policy.unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
