// SPDX-License-Identifier: ISC
// config/parts/ready_made.hpp: the server and TLS over each of our stores and stacks, compiled
// once with crunch: a configuration that uses them compiles its own part only.
//
// Where:   ready_server.cpp, ready_proxied.cpp and ready_tls.cpp, in an archive among those that
//          images are linked with. What is not named here is compiled with the configuration that
//          uses it.

#pragma once

#include "config/parts/credentials.hpp"
#include "http/metrics/metrics.hpp"
#include "http/server.hpp"
#include "kv/crunched/crunched.hpp"
#include "kv/directory/directory.hpp"
#include "net/lwip/lwip.hpp"
#include "net/proxied/over.hpp"
#include "net/sockets/sockets.hpp"
#include "tls/over.hpp"

namespace config {
using ProxiedSockets = net::proxied::Over<net::Sockets>;
using ProxiedLwip = net::proxied::Over<net::Lwip>;
}  // namespace config

extern template class http::Server<kv::Crunched, net::Sockets>;
extern template class http::Server<kv::Directory, net::Sockets>;
extern template class http::Server<http::Metrics, net::Sockets>;
extern template class tls::Connection<net::Sockets::Flow>;
extern template class tls::Over<net::Sockets>;
extern template class http::Server<kv::Crunched, config::TlsStack<net::Sockets>>;
extern template class http::Server<kv::Directory, config::TlsStack<net::Sockets>>;

extern template class net::proxied::Over<net::Sockets>;
extern template class http::Server<kv::Crunched, config::ProxiedSockets>;
extern template class http::Server<kv::Directory, config::ProxiedSockets>;
extern template class tls::Connection<config::ProxiedSockets::Flow>;
extern template class tls::Over<config::ProxiedSockets>;
extern template class http::Server<kv::Crunched, config::TlsStack<config::ProxiedSockets>>;
extern template class http::Server<kv::Directory, config::TlsStack<config::ProxiedSockets>>;

extern template class http::Server<kv::Crunched, net::Lwip>;
extern template class http::Server<kv::Directory, net::Lwip>;
extern template class http::Server<http::Metrics, net::Lwip>;
extern template class tls::Connection<net::Lwip::Flow>;
extern template class tls::Over<net::Lwip>;
extern template class http::Server<kv::Crunched, config::TlsStack<net::Lwip>>;
extern template class http::Server<kv::Directory, config::TlsStack<net::Lwip>>;

extern template class net::proxied::Over<net::Lwip>;
extern template class http::Server<kv::Crunched, config::ProxiedLwip>;
extern template class http::Server<kv::Directory, config::ProxiedLwip>;
extern template class tls::Connection<config::ProxiedLwip::Flow>;
extern template class tls::Over<config::ProxiedLwip>;
extern template class http::Server<kv::Crunched, config::TlsStack<config::ProxiedLwip>>;
extern template class http::Server<kv::Directory, config::TlsStack<config::ProxiedLwip>>;
