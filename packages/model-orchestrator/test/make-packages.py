"""Creates an attacker's packages and a stand-in for the runner in a folder. The attack itself is attack.py beside them."""
import io, pathlib, sys, tarfile, zipfile

out, attack, elsewhere = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def wheel(name, files, requires=(), scripts=""):
    info = f"{name}-1.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n" + "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
        **({f"{info}/entry_points.txt": scripts} if scripts else {}),
    }
    with zipfile.ZipFile(out / f"{name}-1-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def sdist(name, code):
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": code,
    }
    with tarfile.open(out / f"{name}-1.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            item = tarfile.TarInfo(f"{name}-1/{path}")
            item.size = len(text.encode())
            archive.addfile(item, io.BytesIO(text.encode()))


wheel("fake_runner", {"fake_runner.py": "def main(): pass\n"}, scripts="[console_scripts]\nmodel-runner = fake_runner:main\n")
wheel("honest", {"honest.py": ""})
wheel("startup", {"startup.pth": f"import sys; exec(open({attack!r}).read())\n", "sitecustomize.py": f"exec(open({attack!r}).read())\n"})
wheel("by_address", {"by_address.py": ""}, requires=[f"looks @ {elsewhere}/looks-1.tar.gz"])
wheel("by_path", {"by_path.py": ""}, requires=[f"looks @ file://{out}/looks-1.tar.gz"])
sdist("looks", pathlib.Path(attack).read_text())
