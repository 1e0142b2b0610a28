# cmake/mbedtls.cmake: mbedTLS 3.6, from its source, as the static library crunch_mbedtls.
#
# Sets CRUNCH_TLS: whether there is one. Without the source everything else is still built: the
# message says how to get it. Only tls/ may use the library's headers.

set(CRUNCH_MBEDTLS_SOURCE "" CACHE PATH
  "mbedTLS 3.6.x, unpacked; empty: what scripts/fetch-mbedtls has cached")

function(crunch_find_mbedtls)
  set(CRUNCH_TLS OFF CACHE INTERNAL "whether there is mbedTLS")
  set(source ${CRUNCH_MBEDTLS_SOURCE})
  if(NOT source)
    execute_process(COMMAND ${CMAKE_SOURCE_DIR}/scripts/fetch-mbedtls --cached
      OUTPUT_VARIABLE source OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(failed)
      crunch_missing(mbedtls WARNING "mbedTLS's source is not here: building WITHOUT TLS. Run "
        "scripts/fetch-mbedtls, or give -DCRUNCH_MBEDTLS_SOURCE=DIR.")
      return()
    endif()
  endif()
  set(header ${source}/include/mbedtls/build_info.h)
  if(NOT EXISTS ${header})
    message(FATAL_ERROR "CRUNCH_MBEDTLS_SOURCE=${source} is not mbedTLS: ${header} is missing")
  endif()
  file(STRINGS ${header} version REGEX "define MBEDTLS_VERSION_STRING ")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" version "${version}")
  if(version VERSION_LESS 3.6.5 OR NOT version VERSION_LESS 3.7)
    message(FATAL_ERROR "${source} is mbedTLS ${version}; 3.6.x, at least 3.6.5, is needed")
  endif()
  message(STATUS "mbedTLS ${version}: ${source}")

  # Only what tls/mbedtls_config.h turns on has code in it.
  set(names
    aes aesni asn1parse asn1write base64 bignum bignum_core bignum_mod bignum_mod_raw
    block_cipher chacha20 chachapoly cipher cipher_wrap constant_time
    ecdh ecdsa ecp ecp_curves ecp_curves_new gcm hkdf md oid pem pk pk_ecc pk_wrap pkparse
    platform platform_util poly1305 psa_crypto psa_crypto_aead psa_crypto_cipher psa_crypto_client
    psa_crypto_driver_wrappers_no_static psa_crypto_ecp psa_crypto_ffdh psa_crypto_hash
    psa_crypto_mac psa_crypto_pake psa_crypto_random psa_crypto_rsa psa_crypto_slot_management
    psa_util rsa rsa_alt_helpers sha256 sha512 ssl_ciphersuites ssl_client ssl_msg ssl_ticket
    ssl_tls ssl_tls12_client ssl_tls12_server ssl_tls13_client ssl_tls13_generic ssl_tls13_keys
    ssl_tls13_server threading x509 x509_crt)
  foreach(name ${names})
    # A point release may drop or merge a file; the linker tells what is really missing.
    if(EXISTS ${source}/library/${name}.c)
      list(APPEND sources ${source}/library/${name}.c)
    endif()
  endforeach()
  # Said here, as a compiler cache may not tell that a system header includes it.
  set_source_files_properties(${sources} PROPERTIES
    OBJECT_DEPENDS ${CMAKE_SOURCE_DIR}/tls/mbedtls_config.h)
  # What crypto/ has takes the place of mbedTLS's (tls/*_hook.cpp).
  set_source_files_properties(${source}/library/ecp.c PROPERTIES COMPILE_DEFINITIONS
    "mbedtls_ecp_mul=crunch_portable_ecp_mul_plain;\
mbedtls_ecp_mul_restartable=crunch_portable_ecp_mul")
  set_source_files_properties(${source}/library/ecdsa.c PROPERTIES COMPILE_DEFINITIONS
    "mbedtls_mpi_gcd_modinv_odd=crunch_ecdsa_inverse")
  set_source_files_properties(${source}/library/pk.c PROPERTIES COMPILE_DEFINITIONS
    "mbedtls_rsa_rsassa_pss_sign_no_mode_check=crunch_rsa_pss_sign")
  set_source_files_properties(${source}/library/pk_wrap.c PROPERTIES COMPILE_DEFINITIONS
    "mbedtls_rsa_pkcs1_sign=crunch_rsa_pkcs1_sign")
  # The client is linked where tls/client_engine.cpp is.
  set(weak_client ${CMAKE_SOURCE_DIR}/tls/weak_client.h)
  set_property(SOURCE ${source}/library/ssl_tls.c APPEND PROPERTY COMPILE_OPTIONS
    "-include;${weak_client}")
  set_property(SOURCE ${source}/library/ssl_tls.c APPEND PROPERTY OBJECT_DEPENDS ${weak_client})
  set(signature_hook ${CMAKE_SOURCE_DIR}/tls/signature_hook.h)
  set_property(SOURCE ${source}/library/ssl_tls12_server.c APPEND PROPERTY COMPILE_OPTIONS
    "-include;${signature_hook}")
  set_property(SOURCE ${source}/library/ssl_tls12_server.c APPEND PROPERTY OBJECT_DEPENDS
    ${signature_hook})
  set(hooks ${CMAKE_SOURCE_DIR}/tls/curve_hook.cpp ${CMAKE_SOURCE_DIR}/tls/rsa_hook.cpp
    ${CMAKE_SOURCE_DIR}/tls/sha2_hook.cpp ${CMAKE_SOURCE_DIR}/tls/signature_hook.cpp)
  add_library(crunch_mbedtls_hooks OBJECT ${hooks})
  target_link_libraries(crunch_mbedtls_hooks PRIVATE crunch_flags)
  target_include_directories(crunch_mbedtls_hooks SYSTEM PRIVATE ${source}/include)
  target_compile_definitions(crunch_mbedtls_hooks PRIVATE
    MBEDTLS_CONFIG_FILE="${CMAKE_SOURCE_DIR}/tls/mbedtls_config.h")
  # In the same archive, as each needs the other.
  add_library(crunch_mbedtls STATIC ${sources} ${CMAKE_SOURCE_DIR}/tls/transcript_hook.c
    $<TARGET_OBJECTS:crunch_mbedtls_hooks>)
  target_include_directories(crunch_mbedtls SYSTEM
    PUBLIC ${source}/include PRIVATE ${source}/library)
  target_compile_definitions(crunch_mbedtls
    PUBLIC MBEDTLS_CONFIG_FILE="${CMAKE_SOURCE_DIR}/tls/mbedtls_config.h")
  # Always fast, in Debug builds too; the warnings of others' code are not ours. -O3 is only worth
  # its size where the bytes go through.
  foreach(name aes chacha20 gcm poly1305 sha512)
    set_property(SOURCE ${source}/library/${name}.c APPEND PROPERTY COMPILE_OPTIONS -O3)
  endforeach()
  target_compile_options(crunch_mbedtls PRIVATE
    -O2 -w -ffunction-sections -fdata-sections -fno-pie -fno-strict-aliasing)
  # And what runs once for a connection, or for a certificate, is small rather than fast.
  foreach(name asn1parse asn1write oid pem pk pk_ecc pk_wrap pkparse pkwrite psa_crypto
      psa_crypto_client psa_crypto_slot_management psa_util x509 x509_crt)
    set_property(SOURCE ${source}/library/${name}.c APPEND PROPERTY COMPILE_OPTIONS -Os)
  endforeach()
  # Run-time detection decides whether these files' instructions are used.
  set_source_files_properties(${source}/library/aesni.c PROPERTIES COMPILE_OPTIONS "-maes;-mpclmul")
  if(CRUNCH_SANITIZE)
    target_compile_options(crunch_mbedtls PRIVATE
      -fsanitize=${CRUNCH_SANITIZE} -fno-omit-frame-pointer)
  endif()
  target_link_libraries(crunch_mbedtls
    PUBLIC Threads::Threads $<LINK_ONLY:crunch_crypto>)
  set_property(GLOBAL APPEND PROPERTY CRUNCH_RUNTIME_MODULES crunch_mbedtls)
  set(CRUNCH_TLS ON CACHE INTERNAL "whether there is mbedTLS")
endfunction()

crunch_find_mbedtls()
