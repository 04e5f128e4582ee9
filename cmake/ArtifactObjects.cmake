# Objects for tests of linking and loading (tests/artifact_base.h), as LLVM writes them: clang has its code generator,
# whatever compiles the project.
#
#   wr_use_artifact_objects(TARGET)   the target reads them, and calls the linker

find_program(WR_CLANG_FOR_OBJECTS NAMES clang-19)
mark_as_advanced(WR_CLANG_FOR_OBJECTS)
set(WR_HAVE_ARTIFACT_OBJECTS FALSE)
if(WR_CLANG_FOR_OBJECTS)
    set(WR_HAVE_ARTIFACT_OBJECTS TRUE)
    set(WR_OBJECTS_DIR "${PROJECT_BINARY_DIR}/artifact-objects")
    file(MAKE_DIRECTORY "${WR_OBJECTS_DIR}")
    foreach(machine x86_64 aarch64)
        foreach(name main other)
            set(object "${WR_OBJECTS_DIR}/${name}.${machine}.o")
            set(text "${PROJECT_SOURCE_DIR}/tests/unit/aot/${name}.ll")
            add_custom_command(OUTPUT "${object}"
                COMMAND "${WR_CLANG_FOR_OBJECTS}" --target=${machine}-linux-gnu -O2 -fPIC
                        -Wno-override-module -c "${text}" -o "${object}"
                DEPENDS "${text}" VERBATIM)
            list(APPEND WR_OBJECTS "${object}")
        endforeach()
    endforeach()
    add_custom_target(artifact_objects DEPENDS ${WR_OBJECTS})
endif()

function(wr_use_artifact_objects target)
    add_dependencies(${target} artifact_objects)
    target_compile_definitions(${target} PRIVATE "WR_OBJECTS_DIR=\"${WR_OBJECTS_DIR}\"")
    target_link_libraries(${target} PRIVATE $<TARGET_OBJECTS:wr_linker>)
endfunction()
