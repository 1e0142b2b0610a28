# SPDX-License-Identifier: ISC
# cmake/lwip.cmake: lwIP 2.2, from its source, as the static library crunch_lwip_c.
#
# Sets CRUNCH_LWIP: whether there is one. Without the source everything else is still built, but no
# target that needs a network stack of its own: the message says how to get it. Only net/lwip may
# use the library's headers.

set(CRUNCH_LWIP_SOURCE "" CACHE PATH
  "lwIP 2.2.x, unpacked; empty: what scripts/fetch-lwip has cached")

function(crunch_find_lwip)
  set(CRUNCH_LWIP OFF CACHE INTERNAL "whether there is lwIP")
  set(source ${CRUNCH_LWIP_SOURCE})
  if(NOT source)
    execute_process(COMMAND ${CMAKE_SOURCE_DIR}/scripts/fetch-lwip --cached
      OUTPUT_VARIABLE source OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(failed)
      crunch_missing(lwip WARNING "lwIP's source is not here: building WITHOUT the stack that "
        "unix-tap and machines of their own need. Run scripts/fetch-lwip, "
        "or give -DCRUNCH_LWIP_SOURCE=DIR.")
      return()
    endif()
  endif()
  set(header ${source}/src/include/lwip/init.h)
  if(NOT EXISTS ${header})
    message(FATAL_ERROR "CRUNCH_LWIP_SOURCE=${source} is not lwIP: ${header} is missing")
  endif()
  set(version "")
  foreach(part MAJOR MINOR REVISION)
    file(STRINGS ${header} line REGEX "define LWIP_VERSION_${part} ")
    string(REGEX REPLACE ".*LWIP_VERSION_${part} +([0-9]+).*" "\\1" number "${line}")
    list(APPEND version ${number})
  endforeach()
  list(JOIN version "." version)
  if(version VERSION_LESS 2.2.1 OR NOT version VERSION_LESS 2.3)
    message(FATAL_ERROR "${source} is lwIP ${version}; 2.2.x, at least 2.2.1, is needed")
  endif()
  message(STATUS "lwIP ${version}: ${source}")

  # Only what net/lwip/port/lwipopts.h turns on has code in it.
  set(names
    def inet_chksum init ip mem memp netif pbuf stats sys tcp tcp_in tcp_out timeouts udp
    ipv4/acd ipv4/dhcp ipv4/etharp ipv4/icmp ipv4/ip4 ipv4/ip4_addr ipv4/ip4_frag
    ipv6/ethip6 ipv6/icmp6 ipv6/inet6 ipv6/ip6 ipv6/ip6_addr ipv6/ip6_frag ipv6/mld6 ipv6/nd6)
  list(TRANSFORM names REPLACE "(.+)" "${source}/src/core/\\1.c")
  add_library(crunch_lwip_c STATIC ${names} ${source}/src/netif/ethernet.c)
  target_include_directories(crunch_lwip_c SYSTEM
    PUBLIC ${source}/src/include ${CMAKE_SOURCE_DIR}/net/lwip/port)
  # Always fast, in Debug builds too; the warnings of others' code are not ours.
  target_compile_options(crunch_lwip_c PRIVATE
    -O3 -w -ffunction-sections -fdata-sections -fno-pie -fno-strict-aliasing)
  # But for what does not go along with a site's bytes.
  foreach(name ipv4/acd ipv4/dhcp ipv4/icmp ipv4/ip4_frag ipv6/icmp6 ipv6/ip6_frag ipv6/mld6
      ipv6/nd6)
    set_property(SOURCE ${source}/src/core/${name}.c APPEND PROPERTY COMPILE_OPTIONS -Os)
  endforeach()
  # These call net/lwip/inputs.cpp, which looks first and then calls lwIP's function of that name.
  foreach(call
      ipv4/ip4:tcp_input ipv4/ip4:udp_input ipv4/ip4:icmp_input ipv4/ip4:ip4_frag
      ipv6/ip6:tcp_input ipv6/ip6:udp_input ipv6/ip6:ip6_frag ipv6/ip6:ip6_reass
      ipv6/icmp6:nd6_input ipv6/icmp6:mld6_input tcp:tcp_send_fin
      tcp:tcp_output tcp_in:tcp_output
      ipv4/dhcp:dns_setserver
      udp:icmp_dest_unreach udp:icmp6_dest_unreach ipv4/ip4:icmp_dest_unreach
      ipv4/ip4_frag:icmp_time_exceeded ipv6/ip6:icmp6_param_problem
      ipv6/ip6_frag:icmp6_time_exceeded_with_addrs)
    string(REPLACE ":" ";" call ${call})
    list(GET call 0 file)
    list(GET call 1 function)
    set_property(SOURCE ${source}/src/core/${file}.c
      APPEND PROPERTY COMPILE_DEFINITIONS ${function}=crunch_lwip_${function})
  endforeach()
  # The DHCP client asks for DNS servers; lwIP's own resolver is not there.
  set_property(SOURCE ${source}/src/core/ipv4/dhcp.c APPEND PROPERTY COMPILE_DEFINITIONS
    LWIP_DNS=1 DNS_MAX_SERVERS=4)
  if(CRUNCH_SANITIZE)
    # Headers stand in frames at any address, and lwIP reads them there.
    target_compile_options(crunch_lwip_c PRIVATE
      -fsanitize=${CRUNCH_SANITIZE} -fno-sanitize=alignment -fno-omit-frame-pointer)
    # Its variables are copied as one (net/lwip/globals.hpp): nothing may be guarded between them.
    if(CRUNCH_SANITIZE MATCHES address)
      target_compile_options(crunch_lwip_c PRIVATE
        $<IF:$<C_COMPILER_ID:GNU>,SHELL:--param asan-globals=0,SHELL:-mllvm -asan-globals=0>)
    endif()
  endif()
  if(CRUNCH_FUZZ)
    target_compile_options(crunch_lwip_c PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  set(script ${CMAKE_SOURCE_DIR}/cmake/lwip.ld)
  set_property(TARGET crunch_lwip_c APPEND PROPERTY LINK_DEPENDS ${script})
  add_custom_command(TARGET crunch_lwip_c POST_BUILD
    COMMAND ${CMAKE_LINKER} -r -T ${script} -o crunch_lwip.o
      --whole-archive $<TARGET_FILE:crunch_lwip_c>
    COMMAND ${CMAKE_COMMAND} -E rm $<TARGET_FILE:crunch_lwip_c>
    COMMAND ${CMAKE_AR} qcs $<TARGET_FILE:crunch_lwip_c> crunch_lwip.o
    BYPRODUCTS crunch_lwip.o VERBATIM)
  set_property(GLOBAL APPEND PROPERTY CRUNCH_RUNTIME_MODULES crunch_lwip_c)
  set(CRUNCH_LWIP ON CACHE INTERNAL "whether there is lwIP")
endfunction()

crunch_find_lwip()
