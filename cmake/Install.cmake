# Install rules: command, libraries, public headers, pkg-config file, CMake package, docs. The components
# `runtime`, `dev` and `serve` (if that is built) are also Debian packages.

include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/wasmrun")

install(TARGETS wasmrun RUNTIME COMPONENT runtime)
install(TARGETS wasmrun_static EXPORT wasmrunTargets ARCHIVE COMPONENT dev)
install(TARGETS wasmrun_shared EXPORT wasmrunTargets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev)
install(DIRECTORY embed/include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev
    FILES_MATCHING PATTERN "*.h")
install(EXPORT wasmrunTargets NAMESPACE wasmrun:: DESTINATION "${package_dir}" COMPONENT dev)

configure_package_config_file(cmake/wasmrunConfig.cmake.in wasmrunConfig.cmake
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(wasmrunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/wasmrunConfig.cmake" "${PROJECT_BINARY_DIR}/wasmrunConfigVersion.cmake"
    DESTINATION "${package_dir}" COMPONENT dev)

# Relative to the file itself, so that the installed tree can be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE WR_PC_PREFIX)
configure_file(cmake/wasmrun.pc.in wasmrun.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/wasmrun.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)
install(FILES docs/embedding.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)
install(DIRECTORY embed/examples DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)

# `cpack -G DEB` in the build folder.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wasmrun)
set(CPACK_PACKAGE_CONTACT "The wasmrun authors <wasmrun@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME wasmrun)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "libc6 (>= 2.36)")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libwasmrun-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "wasmrun (= ${PROJECT_VERSION}), libc6-dev")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "The wasmrun command and the shared library.")
set(CPACK_COMPONENT_DEV_DESCRIPTION "Headers, static library and examples for programs that embed wasmrun.")
if(TARGET wasmrun-serve)
    list(APPEND CPACK_COMPONENTS_ALL serve)
    set(CPACK_DEBIAN_SERVE_PACKAGE_NAME wasmrun-serve)
    set(CPACK_DEBIAN_SERVE_PACKAGE_SECTION web)
    set(CPACK_DEBIAN_SERVE_PACKAGE_DEPENDS "wasmrun (= ${PROJECT_VERSION}), libmicrohttpd12, libc6 (>= 2.36)")
    set(CPACK_COMPONENT_SERVE_DESCRIPTION "The plugin server: an HTTP server that runs an instance for each request.")
endif()
if(TARGET wasmrun-aot)
    list(APPEND CPACK_COMPONENTS_ALL aot)
    set(CPACK_DEBIAN_AOT_PACKAGE_NAME wasmrun-aot)
    set(CPACK_DEBIAN_AOT_PACKAGE_SECTION devel)
    set(CPACK_DEBIAN_AOT_PACKAGE_DEPENDS "wasmrun (= ${PROJECT_VERSION}), libllvm19, libc6 (>= 2.36)")
    set(CPACK_COMPONENT_AOT_DESCRIPTION "The compiler that wasmrun compile and wasmrun --engine=aot use.")
endif()
include(CPack)
