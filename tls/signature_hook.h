// SPDX-License-Identifier: ISC
// tls/signature_hook.h: how mbedTLS's server of TLS 1.2 signs (tls/signature_hook.cpp).
//
// Included before ssl_tls12_server.c: each of its signatures is made by a function that is told for
// which connection.

#pragma once

// As mbedTLS's own files do before they include these.
#ifndef MBEDTLS_ALLOW_PRIVATE_ACCESS
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#endif

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>

int crunch_sign_1_2(mbedtls_ssl_context* ssl, mbedtls_pk_context* key, mbedtls_md_type_t hash,
                    const unsigned char* digest, size_t digest_bytes, unsigned char* signature,
                    size_t signature_bytes_max, size_t* signature_bytes,
                    int (*random)(void*, unsigned char*, size_t), void* random_context);

#define mbedtls_pk_sign(...) crunch_sign_1_2(ssl, __VA_ARGS__)
