"""Strait from the source tree that this recipe lies in: conan create cmake/ports/conan"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"

TREE = os.path.join("..", "..", "..")


class StraitConan(ConanFile):
    name = "strait"
    description = "Typed shared memory between processes: arrays, buffers, rings and calls that survive the death of any party"
    license = "MIT"
    topics = ("ipc", "shared-memory", "ring-buffer", "rpc", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    default_options = {"boost/*:header_only": True}
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, TREE, "CMakeLists.txt"))
        self.version = re.search(r"^ *VERSION ([0-9.]+)$", text, re.MULTILINE).group(1)

    def export_sources(self):
        tree = os.path.join(self.recipe_folder, TREE)
        copy(self, "LICENSE", tree, self.export_sources_folder)
        copy(self, "*.hpp", os.path.join(tree, "include"), os.path.join(self.export_sources_folder, "include"))

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("boost/[>=1.74 <2]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "strait")
        self.cpp_info.set_property("cmake_target_name", "strait::strait")
        self.cpp_info.set_property("pkg_config_name", "strait")
        self.cpp_info.requires = ["boost::headers"]
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread", "rt"]
