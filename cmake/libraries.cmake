# SPDX-License-Identifier: ISC
# cmake/libraries.cmake: which libraries images may be linked with, for `crunch inspect --sbom`.
#
# Writes lib/crunch/libraries.json: an array of {"name", "version", "licence", "source", "purl",
# "archives"}. Versions are read from the headers that crunch is compiled with; purl (may be empty)
# names Debian's package with its version, which is what security advisories are about. "archives"
# says where a library's code is in an image: the name of an archive, or the beginning of
# "archive(member" where crunch's own code includes a library that has only headers.
# crunch/build/libraries.cpp compares these names with the linker's map. It finds the C and C++
# libraries of the compiler itself.

set(CRUNCH_LIBRARIES "")

# The value of a macro in a header: a number, or a text without its quotes.
function(crunch_macro out header macro)
  file(STRINGS ${header} line REGEX "^#[ \t]*define[ \t]+${macro}[ \t]")
  if(NOT line MATCHES "define[ \t]+${macro}[ \t]+\\(?\"?([^\") \t]+)")
    message(FATAL_ERROR "${header} does not define ${macro}: cmake/libraries.cmake reads it for "
      "the version of a library")
  endif()
  set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

# crunch_library(nettle HEADER path MACROS major minor [PACKAGE nettle-dev]
#                LICENCE "SPDX expression" SOURCE url ARCHIVES libnettle.a ...)
# MACROS are joined by dots. PACKAGE: the Debian package that it is from.
function(crunch_library name)
  cmake_parse_arguments(ARG "" "HEADER;PACKAGE;LICENCE;SOURCE" "MACROS;ARCHIVES" ${ARGN})
  set(parts "")
  foreach(macro ${ARG_MACROS})
    crunch_macro(part ${ARG_HEADER} ${macro})
    list(APPEND parts ${part})
  endforeach()
  list(JOIN parts "." version)
  string(REPLACE "_" "." version ${version})  # Boost's
  if(version MATCHES "^0x([0-9a-f][0-9a-f][0-9a-f][0-9a-f])([0-9a-f][0-9a-f])[0-9a-f]+$")  # Xen's
    math(EXPR major "0x${CMAKE_MATCH_1}")
    math(EXPR minor "0x${CMAKE_MATCH_2}")
    set(version ${major}.${minor})
  endif()
  set(purl "")
  find_program(CRUNCH_DPKG_QUERY dpkg-query)
  mark_as_advanced(CRUNCH_DPKG_QUERY)
  if(ARG_PACKAGE AND CRUNCH_DPKG_QUERY)
    execute_process(COMMAND ${CRUNCH_DPKG_QUERY} -W
      -f "\${source:Package} \${source:Version}" ${ARG_PACKAGE}
      OUTPUT_VARIABLE package ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND package MATCHES "^([^ ]+) ([^ ]+)$")
      set(purl "pkg:deb/debian/${CMAKE_MATCH_1}@${CMAKE_MATCH_2}?arch=source")
      string(REPLACE "+" "%2B" purl ${purl})
    string(REGEX REPLACE "(@[0-9]+):" "\\1%3A" purl ${purl})
    endif()
  endif()
  list(TRANSFORM ARG_ARCHIVES REPLACE "(.+)" "\"\\1\"")
  list(JOIN ARG_ARCHIVES ", " archives)
  string(CONCAT entry "{\"name\": \"${name}\", \"version\": \"${version}\", "
    "\"licence\": \"${ARG_LICENCE}\", \"source\": \"${ARG_SOURCE}\", \"purl\": \"${purl}\", "
    "\"archives\": [${archives}]}")
  set(CRUNCH_LIBRARIES ${CRUNCH_LIBRARIES} "${entry}" PARENT_SCOPE)
endfunction()

find_path(CRUNCH_TL_EXPECTED tl/expected.hpp REQUIRED)
find_path(CRUNCH_BOOST boost/version.hpp REQUIRED)
find_path(CRUNCH_NGHTTP2 nghttp2/nghttp2ver.h REQUIRED)
find_path(CRUNCH_SODIUM sodium/version.h REQUIRED)
find_path(CRUNCH_NETTLE nettle/version.h REQUIRED)
find_path(CRUNCH_GMP gmp.h REQUIRED)
mark_as_advanced(CRUNCH_TL_EXPECTED CRUNCH_BOOST CRUNCH_NGHTTP2 CRUNCH_SODIUM CRUNCH_NETTLE
  CRUNCH_GMP)

crunch_library(tl-expected PACKAGE libexpected-dev
  HEADER ${CRUNCH_TL_EXPECTED}/tl/expected.hpp
  MACROS TL_EXPECTED_VERSION_MAJOR TL_EXPECTED_VERSION_MINOR TL_EXPECTED_VERSION_PATCH
  LICENCE "CC0-1.0" SOURCE https://github.com/TartanLlama/expected
  ARCHIVES libcrunch_base.a)
crunch_macro(boost ${CRUNCH_BOOST}/boost/version.hpp BOOST_LIB_VERSION)
string(REPLACE "_" "." boost ${boost})
crunch_library(Boost.Beast PACKAGE libboost${boost}-dev
  HEADER ${CRUNCH_BOOST}/boost/version.hpp MACROS BOOST_LIB_VERSION
  LICENCE "BSL-1.0" SOURCE https://github.com/boostorg/beast
  ARCHIVES "libcrunch_http.a(parser.")
crunch_library(nghttp2 PACKAGE libnghttp2-dev
  HEADER ${CRUNCH_NGHTTP2}/nghttp2/nghttp2ver.h MACROS NGHTTP2_VERSION
  LICENCE "MIT" SOURCE https://github.com/nghttp2/nghttp2
  ARCHIVES libnghttp2.a)
crunch_library(libsodium PACKAGE libsodium-dev
  HEADER ${CRUNCH_SODIUM}/sodium/version.h MACROS SODIUM_VERSION_STRING
  LICENCE "ISC" SOURCE https://github.com/jedisct1/libsodium
  ARCHIVES libsodium.a)
crunch_library(nettle PACKAGE nettle-dev
  HEADER ${CRUNCH_NETTLE}/nettle/version.h MACROS NETTLE_VERSION_MAJOR NETTLE_VERSION_MINOR
  LICENCE "LGPL-3.0-or-later OR GPL-2.0-or-later" SOURCE https://git.lysator.liu.se/nettle/nettle
  ARCHIVES libnettle.a libhogweed.a)
crunch_library(GMP PACKAGE libgmp-dev
  HEADER ${CRUNCH_GMP}/gmp.h
  MACROS __GNU_MP_VERSION __GNU_MP_VERSION_MINOR __GNU_MP_VERSION_PATCHLEVEL
  LICENCE "LGPL-3.0-or-later OR GPL-2.0-or-later" SOURCE https://gmplib.org/
  ARCHIVES libgmp.a)
if(CRUNCH_TLS)
  get_target_property(folders crunch_mbedtls INTERFACE_INCLUDE_DIRECTORIES)
  list(GET folders 0 folder)
  crunch_library(mbedTLS HEADER ${folder}/mbedtls/build_info.h MACROS MBEDTLS_VERSION_STRING
    LICENCE "Apache-2.0 OR GPL-2.0-or-later" SOURCE https://github.com/Mbed-TLS/mbedtls
    ARCHIVES libcrunch_mbedtls.a)
endif()
if(TARGET crunch_ipsec_mb)
  crunch_library(intel-ipsec-mb PACKAGE libipsec-mb-dev
    HEADER ${CRUNCH_IPSEC_MB_INCLUDE}/intel-ipsec-mb.h MACROS IMB_VERSION_STR
    LICENCE "BSD-3-Clause" SOURCE https://github.com/intel/intel-ipsec-mb
    ARCHIVES libcrunch_ipsec_mb.a)
endif()
if(CRUNCH_LWIP)
  get_target_property(folders crunch_lwip_c INTERFACE_INCLUDE_DIRECTORIES)
  list(GET folders 0 folder)
  crunch_library(lwIP HEADER ${folder}/lwip/init.h
    MACROS LWIP_VERSION_MAJOR LWIP_VERSION_MINOR LWIP_VERSION_REVISION
    LICENCE "BSD-3-Clause" SOURCE https://git.savannah.nongnu.org/git/lwip.git
    ARCHIVES libcrunch_lwip_c.a)
endif()
if(CRUNCH_XEN_INCLUDE)
  # The version of the interface, 0x00040e00 for 4.14; purl has the package's.
  crunch_library(xen-headers PACKAGE libxen-dev
    HEADER ${CRUNCH_XEN_INCLUDE}/xen/xen-compat.h MACROS __XEN_LATEST_INTERFACE_VERSION__
    LICENCE "MIT" SOURCE https://xenbits.xenproject.org/git-http/xen.git
    ARCHIVES libcrunch_targets_xen.a)
endif()

list(JOIN CRUNCH_LIBRARIES ",\n" text)
file(WRITE ${CMAKE_BINARY_DIR}/lib/crunch/libraries.json "[\n${text}\n]\n")
install(FILES ${CMAKE_BINARY_DIR}/lib/crunch/libraries.json DESTINATION lib/crunch)
