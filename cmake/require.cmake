# cmake/require.cmake: what a build may go on without, and what it then says.
#
# -DCRUNCH_REQUIRE=all, or a list of mbedtls, lwip, ipsec-mb, xen, python: without one of them the
# configuration fails. CI asks for all, so that nothing is left out there without a word.

set(CRUNCH_PARTS mbedtls lwip ipsec-mb xen python)
set(CRUNCH_REQUIRE "" CACHE STRING "Parts that must be there: all, or some of ${CRUNCH_PARTS}")
foreach(part IN LISTS CRUNCH_REQUIRE)
  if(NOT part IN_LIST CRUNCH_PARTS AND NOT part STREQUAL "all")
    message(FATAL_ERROR
      "CRUNCH_REQUIRE=${CRUNCH_REQUIRE}: '${part}' is none of all, ${CRUNCH_PARTS}")
  endif()
endforeach()

# crunch_missing(xen STATUS "sentence" ...): a part is not there; fails where it is required.
function(crunch_missing part level)
  string(CONCAT sentence ${ARGN})
  if("all" IN_LIST CRUNCH_REQUIRE OR part IN_LIST CRUNCH_REQUIRE)
    message(FATAL_ERROR "${sentence} (-DCRUNCH_REQUIRE=${CRUNCH_REQUIRE} asks for ${part}.)")
  endif()
  message(${level} "${sentence}")
endfunction()
