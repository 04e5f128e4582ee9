# Install rules: command, libraries, public headers, pkg-config file, CMake package, docs.

include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/wasmrun")

install(TARGETS wasmrun RUNTIME)
install(TARGETS wasmrun_static wasmrun_shared EXPORT wasmrunTargets)
install(DIRECTORY embed/include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(EXPORT wasmrunTargets NAMESPACE wasmrun:: DESTINATION "${package_dir}")

configure_package_config_file(cmake/wasmrunConfig.cmake.in wasmrunConfig.cmake
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(wasmrunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/wasmrunConfig.cmake" "${PROJECT_BINARY_DIR}/wasmrunConfigVersion.cmake"
    DESTINATION "${package_dir}")

# Relative to the file itself, so that the installed tree can be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE WR_PC_PREFIX)
configure_file(cmake/wasmrun.pc.in wasmrun.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/wasmrun.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
