# cmake/archives.cmake: the static libraries of Debian's packages that images are linked with.

# The paths of static libraries that Debian's packages have, in the order to link them.
function(crunch_static_libraries out)
  set(paths "")
  foreach(name ${ARGN})
    find_library(CRUNCH_LIBRARY_${name} lib${name}.a)
    mark_as_advanced(CRUNCH_LIBRARY_${name})
    if(NOT CRUNCH_LIBRARY_${name})
      message(FATAL_ERROR "lib${name}.a is missing: scripts/deps installs it")
    endif()
    list(APPEND paths ${CRUNCH_LIBRARY_${name}})
  endforeach()
  set(${out} ${paths} PARENT_SCOPE)
endfunction()

# AES-GCM of Intel's Multi-Buffer Crypto library (libipsec-mb-dev): its objects for AES-NI, in a
# library of our own, so that an installed crunch needs nothing else. Without it TLS uses nettle's
# AES-GCM, which is slower.
function(crunch_find_ipsec_mb)
  find_library(CRUNCH_IPSEC_MB_LIBRARY libIPSec_MB.a)
  find_path(CRUNCH_IPSEC_MB_INCLUDE intel-ipsec-mb.h)
  mark_as_advanced(CRUNCH_IPSEC_MB_LIBRARY CRUNCH_IPSEC_MB_INCLUDE)
  if(NOT CRUNCH_IPSEC_MB_LIBRARY OR NOT CRUNCH_IPSEC_MB_INCLUDE)
    crunch_missing(ipsec-mb STATUS "libipsec-mb-dev is not installed: TLS encrypts more slowly")
    return()
  endif()
  # crypto/aes_gcm.cpp fills this version's struct gcm_key_data.
  file(STRINGS ${CRUNCH_IPSEC_MB_INCLUDE}/intel-ipsec-mb.h version REGEX "define IMB_VERSION_STR ")
  if(NOT version MATCHES "\"1\\.3\\.")
    crunch_missing(ipsec-mb STATUS
      "libipsec-mb-dev is not 1.3 (${version}): TLS encrypts more slowly")
    return()
  endif()
  set(members gcm128_sgl_api_by8_sse.o gcm256_sgl_api_by8_sse.o aes_keyexp_128.o aes_keyexp_256.o
    error.o)
  # By way of a folder beside it: members that are as before keep their times, or whatever has TLS
  # would be linked again after each run of CMake.
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/ipsec_mb)
  file(MAKE_DIRECTORY ${folder} ${folder}.new)
  execute_process(COMMAND ${CMAKE_AR} x ${CRUNCH_IPSEC_MB_LIBRARY} ${members}
    WORKING_DIRECTORY ${folder}.new RESULT_VARIABLE failed ERROR_VARIABLE why)
  if(failed)
    crunch_missing(ipsec-mb STATUS
      "libipsec-mb-dev is of another make (${why}): TLS encrypts more slowly")
    return()
  endif()
  foreach(member ${members})
    file(COPY_FILE ${folder}.new/${member} ${folder}/${member} ONLY_IF_DIFFERENT)
  endforeach()
  list(TRANSFORM members PREPEND ${folder}/)
  set_source_files_properties(${members} PROPERTIES EXTERNAL_OBJECT ON)
  add_library(crunch_ipsec_mb STATIC ${members})
  set_target_properties(crunch_ipsec_mb PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(crunch_ipsec_mb SYSTEM INTERFACE ${CRUNCH_IPSEC_MB_INCLUDE})
  set_property(GLOBAL APPEND PROPERTY CRUNCH_RUNTIME_MODULES crunch_ipsec_mb)
endfunction()
