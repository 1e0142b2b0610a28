# SPDX-License-Identifier: ISC
# cmake/target.cmake: what `crunch build` needs to make images for a target, in the build tree and
# installed.
#
# An installed crunch: bin/crunch, and in lib/crunch: <target>.target (the recipe; its format is in
# crunch/build/recipe.hpp), <target>/main.o, the archives, and in include/ every header of the
# runtime modules, under the paths by which they include each other.

set(CRUNCH_INSTALL_FOLDER lib/crunch)

# Everything static that `libraries` link, themselves included: targets and files.
function(crunch_archives out)
  set(todo ${ARGN})
  set(seen "")
  set(archives "")
  while(todo)
    list(POP_FRONT todo item)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" item "${item}")
    if(item IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${item})
    if(TARGET ${item})
      get_target_property(aliased ${item} ALIASED_TARGET)
      if(aliased)
        set(item ${aliased})
      endif()
      get_target_property(type ${item} TYPE)
      if(type STREQUAL STATIC_LIBRARY)
        list(APPEND archives ${item})
      endif()
      foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
        get_target_property(more ${item} ${property})
        if(more)
          list(APPEND todo ${more})
        endif()
      endforeach()
    elseif(item MATCHES "\\.a$")
      list(APPEND archives ${item})
    endif()
  endwhile()
  list(REMOVE_DUPLICATES archives)
  set(${out} ${archives} PARENT_SCOPE)
endfunction()

# crunch_image_target(unix HEADER targets/unix/target.hpp LINK -static ...
#                     [HOST run.cpp ...: sources of the tool that start its images, the first with
#                      the Runner (crunch/run/runner.hpp)]
#                     [START line that starts an image; @IMAGE@ stands for its path]
#                     [MODULES libraries that only this target has]
#                     [CONTENT_MAX the most bytes that a site may have]
#                     [SYMBOLS name of a table of its functions]
#                     [COMPANION text of what is written beside an image])
# Called by the target's host/recipe.cmake; HOST and COMPANION are files of that folder. The default
# configuration is compiled here once, so that a build with it only assembles and links.
function(crunch_image_target target)
  cmake_parse_arguments(ARG "" "HEADER;START;CONTENT_MAX;SYMBOLS;COMPANION"
    "HOST;LINK;MODULES" ${ARGN})
  set(host ${CMAKE_CURRENT_LIST_DIR})
  if(CRUNCH_TLS)
    set(ARG_CONFIG site-example/config.hpp)
  else()
    set(ARG_CONFIG site-example/plain.hpp)
  endif()
  if(ARG_HOST)
    list(TRANSFORM ARG_HOST PREPEND ${host}/)
    target_sources(crunch_run PRIVATE ${ARG_HOST})
    set_property(GLOBAL APPEND PROPERTY CRUNCH_RUNNERS ${target})
  endif()
  get_property(modules GLOBAL PROPERTY CRUNCH_RUNTIME_MODULES)
  crunch_archives(archives ${ARG_MODULES} ${modules})

  add_library(crunch_main_${target} OBJECT ${CMAKE_SOURCE_DIR}/targets/main.cpp)
  target_link_libraries(crunch_main_${target} PRIVATE crunch_flags)
  target_compile_definitions(crunch_main_${target} PRIVATE
    CRUNCH_TARGET="${ARG_HEADER}" CRUNCH_CONFIG="${ARG_CONFIG}")

  set(common "# How crunch build makes an image for ${target}: see crunch/build/recipe.hpp.\n")
  foreach(flag -std=c++20 -O2 -DNDEBUG -ffunction-sections -fdata-sections -fno-pie
      "-DCRUNCH_TARGET=\"${ARG_HEADER}\"")
    string(APPEND common "compile ${flag}\n")
  endforeach()
  string(APPEND common "config ${ARG_CONFIG}\n")
  foreach(flag ${ARG_LINK})
    string(APPEND common "link ${flag}\n")
  endforeach()

  if(ARG_START)
    string(APPEND common "start ${ARG_START}\n")
  endif()
  if(ARG_CONTENT_MAX)
    string(APPEND common "content ${ARG_CONTENT_MAX}\n")
  endif()
  if(ARG_SYMBOLS)
    string(APPEND common "symbols ${ARG_SYMBOLS}\n")
  endif()

  set(here "${common}include ${CMAKE_SOURCE_DIR}\nmain ${CMAKE_SOURCE_DIR}/targets/main.cpp\n")
  string(APPEND here "object $<TARGET_OBJECTS:crunch_main_${target}>\n")
  set(there "${common}include include\nmain include/targets/main.cpp\nobject ${target}/main.o\n")
  if(ARG_COMPANION)
    get_filename_component(companion ${ARG_COMPANION} NAME)
    string(APPEND here "companion ${host}/${ARG_COMPANION}\n")
    string(APPEND there "companion ${target}/${companion}\n")
    install(FILES ${host}/${ARG_COMPANION}
      DESTINATION ${CRUNCH_INSTALL_FOLDER}/${target})
  endif()
  foreach(archive ${archives})
    if(TARGET ${archive})
      string(APPEND here "library $<TARGET_FILE:${archive}>\n")
      string(APPEND there "library $<TARGET_FILE_NAME:${archive}>\n")
      install(FILES $<TARGET_FILE:${archive}> DESTINATION ${CRUNCH_INSTALL_FOLDER})
    else()
      get_filename_component(name ${archive} NAME)
      string(APPEND here "library ${archive}\n")
      string(APPEND there "library ${name}\n")
      install(FILES ${archive} DESTINATION ${CRUNCH_INSTALL_FOLDER})
    endif()
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/lib/crunch/${target}.target CONTENT "${here}")
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/installed/${target}.target CONTENT "${there}")
  install(FILES ${CMAKE_BINARY_DIR}/installed/${target}.target
    DESTINATION ${CRUNCH_INSTALL_FOLDER})
  install(FILES $<TARGET_OBJECTS:crunch_main_${target}>
    DESTINATION ${CRUNCH_INSTALL_FOLDER}/${target} RENAME main.o)
  # `ninja crunch` makes a tool that works.
  add_dependencies(crunch crunch_main_${target} ${ARG_MODULES} ${modules})
endfunction()

# The table of crunch/run/runner.hpp: the Runner of each target that has one.
function(crunch_list_runners)
  get_property(targets GLOBAL PROPERTY CRUNCH_RUNNERS)
  set(declared "")
  set(listed "")
  foreach(target ${targets})
    string(MAKE_C_IDENTIFIER ${target} name)
    string(APPEND declared
      "namespace host::${name}_target {\nconst crunch::run::Runner& runner();\n}\n")
    list(APPEND listed "&host::${name}_target::runner()")
  endforeach()
  list(LENGTH targets count)
  list(JOIN listed ", " listed)
  set(path ${CMAKE_CURRENT_BINARY_DIR}/runners.cpp)
  file(CONFIGURE OUTPUT ${path} CONTENT "// Made by cmake/target.cmake.
#include <array>

#include \"crunch/run/runner.hpp\"

${declared}
std::span<const crunch::run::Runner* const> crunch::run::runners() {
  static const std::array<const Runner*, ${count}> all{${listed}};
  return all;
}
" @ONLY)
  target_sources(crunch_run PRIVATE ${path})
endfunction()

# The headers of the runtime modules, and those of others that they include.
function(crunch_install_headers)
  foreach(module ${ARGN})
    if(EXISTS ${CMAKE_SOURCE_DIR}/${module})
      install(DIRECTORY ${CMAKE_SOURCE_DIR}/${module}/
        DESTINATION ${CRUNCH_INSTALL_FOLDER}/include/${module} FILES_MATCHING PATTERN "*.hpp")
    endif()
  endforeach()
  install(FILES ${CMAKE_SOURCE_DIR}/targets/main.cpp
    DESTINATION ${CRUNCH_INSTALL_FOLDER}/include/targets)
  # The default configuration: crunch configure --eject writes it, --set may compile it anew.
  install(FILES ${CMAKE_SOURCE_DIR}/site-example/config.hpp
    ${CMAKE_SOURCE_DIR}/site-example/plain.hpp
    DESTINATION ${CRUNCH_INSTALL_FOLDER}/include/site-example)
  find_path(CRUNCH_TL_EXPECTED tl/expected.hpp REQUIRED)
  install(FILES ${CRUNCH_TL_EXPECTED}/tl/expected.hpp
    DESTINATION ${CRUNCH_INSTALL_FOLDER}/include/tl)
endfunction()
