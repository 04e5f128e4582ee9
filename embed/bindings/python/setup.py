"""What pyproject.toml cannot say: with WASMRUN_BUNDLE=libwasmrun.so the wheel carries that library, and is one for
the platform that it is of. Without, it is for any, and looks for an installed library."""
import os
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py
from wheel.bdist_wheel import bdist_wheel

BUNDLE = os.environ.get("WASMRUN_BUNDLE")


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if BUNDLE:
            shutil.copyfile(BUNDLE, os.path.join(self.build_lib, "wasmrun", "libwasmrun.so"))


class WheelOfPlatform(bdist_wheel):
    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = not BUNDLE

    def get_tag(self):
        platform = super().get_tag()[2] if BUNDLE else "any"
        return "py3", "none", platform


setup(cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": WheelOfPlatform})
