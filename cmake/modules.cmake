# cmake/modules.cmake: functions that make a module, a test and a fuzz target.

include(GNUInstallDirs)
find_package(Threads REQUIRED)

# What every object is compiled with. The runtime modules are linked into every target,
# so the flags are the same for all of them.
add_library(crunch_flags INTERFACE)
target_include_directories(crunch_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(crunch_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -ffunction-sections -fdata-sections -fno-pie)
target_link_options(crunch_flags INTERFACE -no-pie -Wl,--gc-sections)
if(CRUNCH_SANITIZE)
  target_compile_options(crunch_flags INTERFACE
    -fsanitize=${CRUNCH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(crunch_flags INTERFACE -fsanitize=${CRUNCH_SANITIZE})
endif()
if(CRUNCH_FUZZ)
  # The modules report their coverage too: libFuzzer is guided by it.
  target_compile_options(crunch_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(crunch_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# crunch_module(base SOURCES a.cpp ... LINK other modules ...): a static library crunch_<module>.
# RUNTIME: it is linked into images, so it is installed with its headers.
function(crunch_module module)
  cmake_parse_arguments(ARG "RUNTIME" "" "SOURCES;LINK" ${ARGN})
  add_library(crunch_${module} STATIC ${ARG_SOURCES})
  target_link_libraries(crunch_${module} PUBLIC crunch_flags ${ARG_LINK})
  if(ARG_RUNTIME)
    set_property(GLOBAL APPEND PROPERTY CRUNCH_RUNTIME_MODULES crunch_${module})
  endif()
endfunction()

# The modules under test keep their -O2; tests compile a third faster with less. One coroutine
# resumes the next by a tail call, or long chains of them would need a long stack.
set(CRUNCH_TEST_OPTIMIZATION "$<$<CONFIG:RelWithDebInfo>:-O1;-foptimize-sibling-calls>")

# GoogleTest's header, which each test includes, is read once for all of them; it is half the work
# of a small test. Not with a compiler cache, which would rather have the source, nor by clang,
# which only makes the sanitized build.
function(crunch_precompile_gtest name)
  if(CMAKE_CXX_COMPILER_LAUNCHER OR NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    return()
  endif()
  if(NOT TARGET crunch_gtest)
    set(source ${CMAKE_BINARY_DIR}/gtest.cpp)
    file(WRITE ${source}.new "// Nothing: its precompiled header is what counts.\n")
    file(COPY_FILE ${source}.new ${source} ONLY_IF_DIFFERENT)
    add_library(crunch_gtest OBJECT ${source})
    target_link_libraries(crunch_gtest PRIVATE crunch_flags GTest::gtest_main)
    target_compile_options(crunch_gtest PRIVATE ${CRUNCH_TEST_OPTIMIZATION})
    target_precompile_headers(crunch_gtest PRIVATE <gtest/gtest.h>)
  endif()
  target_precompile_headers(${name} REUSE_FROM crunch_gtest)
  # With the header precompiled g++ 12 does not know std::string's code for the library's, and
  # warns of what cannot happen there. Builds with a compiler cache have these warnings.
  target_compile_options(${name} PRIVATE
    -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endfunction()

# crunch_test(base_test SOURCES a_test.cpp ... LINK modules ...
#             [LABEL unit|image|real|...] [TIMEOUT seconds] [PLAIN])
# PLAIN: a part of it needs a build without sanitizers, so CRUNCH_UNIT_TESTS=tools keeps it.
# The target unit_tests builds all unit tests that there are.
function(crunch_test name)
  cmake_parse_arguments(ARG "PLAIN" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE crunch_flags ${ARG_LINK} GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${CRUNCH_TEST_OPTIMIZATION})
  crunch_precompile_gtest(${name})
  if(ARG_LABEL STREQUAL "unit")
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
    if(folder MATCHES "^(acme|base|block|crypto|kv|net|tls|http|tender|targets)(/|$)")
      set(kind serving)
    else()
      set(kind tools)
    endif()
    if(NOT CRUNCH_UNIT_TESTS MATCHES "^(all|${kind})$" AND NOT ARG_PLAIN)
      set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)
      return()
    endif()
    if(NOT TARGET unit_tests)
      add_custom_target(unit_tests)
    endif()
    add_dependencies(unit_tests ${name})
  endif()
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()

# crunch_fuzz(name SOURCES a.cpp LINK modules SEEDS folder): a libFuzzer target, and as a test
# a short run of it.
function(crunch_fuzz name)
  cmake_parse_arguments(ARG "" "SEEDS" "SOURCES;LINK" ${ARGN})
  if(NOT CRUNCH_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE crunch_flags ${ARG_LINK})
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)  # all of them
  endif()
  add_dependencies(fuzzers ${name})
  add_test(NAME fuzz.${name}
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/fuzz-smoke $<TARGET_FILE:${name}>
      ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SEEDS})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()

# crunch_python_tests(process_test.py LABEL image [TIMEOUT seconds] [COST seconds] [HEAVY]
#                     [BY_CLASS|TOGETHER] [SUITES bare.py ...]):
# one test for each `def test_...` of a unittest file, those included that a class inherits from one
# of the file or of SUITES, in tests/image. They find tests/image/harness.py. Exit code 77: skipped.
# BY_CLASS: one for each class, whose tests share what takes long to start; TOGETHER: one for the
# whole file. HEAVY: takes the disk, and two processors. COST: about how long each takes, if long:
# ctest starts the longest first.
function(crunch_python_tests file)
  cmake_parse_arguments(ARG "HEAVY;BY_CLASS;TOGETHER" "LABEL;TIMEOUT;COST" "SUITES" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT Python3_FOUND)
    return()
  endif()
  list(TRANSFORM ARG_SUITES PREPEND ${CMAKE_SOURCE_DIR}/tests/image/)
  set(lines "")
  foreach(source IN LISTS ARG_SUITES ITEMS ${file})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} some REGEX "^(class |    def test_)")
    list(APPEND lines ${some})
  endforeach()
  set(classes "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "[a-z_]+[.]" "" line "${line}")  # a base's module
    string(REGEX MATCHALL "[A-Za-z0-9_]+" words "${line}")
    list(POP_FRONT words kind name)
    if(kind STREQUAL "def")
      list(APPEND tests_${class} ${name})
      continue()
    endif()
    set(class ${name})
    list(APPEND classes ${class})
    set(tests_${class} "")
    set(runs_${class} FALSE)  # what has no TestCase among its bases is only mixed in
    foreach(base IN LISTS words)
      if(runs_${base} OR NOT base IN_LIST classes)
        set(runs_${class} TRUE)
      endif()
      list(APPEND tests_${class} ${tests_${base}})
    endforeach()
  endforeach()
  get_filename_component(stem ${file} NAME_WE)
  string(REGEX REPLACE "_test$" "" stem ${stem})
  set(chosen "")
  foreach(class IN LISTS classes)
    if(runs_${class} AND ARG_BY_CLASS)
      list(APPEND chosen ${class})
    elseif(runs_${class})
      list(REMOVE_DUPLICATES tests_${class})
      list(TRANSFORM tests_${class} PREPEND ${class}.)
      list(APPEND chosen ${tests_${class}})
    endif()
  endforeach()
  if(ARG_TOGETHER)
    set(chosen all)
  endif()
  foreach(test IN LISTS chosen)
    string(REPLACE ".test_" "." name ${ARG_LABEL}.${stem}.${test})
    if(ARG_TOGETHER)
      set(test "")
    endif()
    add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      ${test})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
      SKIP_RETURN_CODE 77 ENVIRONMENT
      "CRUNCH_BUILD=${CMAKE_BINARY_DIR};PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/image:\
${CMAKE_SOURCE_DIR}/tests/lab")
    if(ARG_COST)
      set_tests_properties(${name} PROPERTIES COST ${ARG_COST})
    endif()
    if(ARG_HEAVY)
      set_tests_properties(${name} PROPERTIES PROCESSORS 2 RESOURCE_LOCK disk)
    endif()
  endforeach()
endfunction()
