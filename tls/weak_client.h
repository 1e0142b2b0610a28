// SPDX-License-Identifier: ISC
// tls/weak_client.h: what mbedTLS's ssl_tls.c calls of its client, as weak symbols.
//
// cmake/mbedtls.cmake includes it before ssl_tls.c, which serves both ends. A weak reference takes
// nothing out of an archive, so only images with tls/client_engine.cpp, which refers to the same
// functions, have the client's code. In the others they are null, and are not called: a context
// configured as a server never gets there.

#pragma once

#pragma weak mbedtls_ssl_write_client_hello
#pragma weak mbedtls_ssl_handshake_client_step
#pragma weak mbedtls_ssl_tls13_handshake_client_step
