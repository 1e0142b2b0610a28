// SPDX-License-Identifier: ISC
#include "crunch/package/kubernetes.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "crunch/failure.hpp"
#include "crunch/package/oci.hpp"

namespace crunch::package {
namespace {

constexpr std::string_view deployment = R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: @name
  labels: {app.kubernetes.io/name: @name}
spec:
  replicas: 2
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels: {app.kubernetes.io/name: @name}
  template:
    metadata:
      labels: {app.kubernetes.io/name: @name}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      # Longer than the delay and the drain together.
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: @user
        runAsGroup: @user
        fsGroup: @user
        seccompProfile: {type: RuntimeDefault}
      containers:
      - name: site
        image: "@tag"
        args:
        - --http-port=@http
        - --management-port=@management
        - --management-address=
        # Requests still come until every node knows that this pod has gone.
        - --drain-delay=5s
@arguments        ports:
@ports        - {name: management, containerPort: @management}
        readinessProbe:
          httpGet: {path: /readyz, port: management}
          periodSeconds: 2
        livenessProbe:
          httpGet: {path: /healthz, port: management}
          periodSeconds: 10
          failureThreshold: 3
        resources:
          requests: {cpu: 50m, memory: 64Mi}
          limits: {memory: 128Mi}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {drop: [ALL]}
@volumes)";

constexpr std::string_view service = R"(apiVersion: v1
kind: Service
metadata:
  name: @name
  labels: {app.kubernetes.io/name: @name}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: "@management"
spec:
  selector: {app.kubernetes.io/name: @name}
  ports:
@ports)";

constexpr std::string_view budget = R"(apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: @name
  labels: {app.kubernetes.io/name: @name}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {app.kubernetes.io/name: @name}
)";

constexpr std::string_view secret_mount = R"(        volumeMounts:
        - {name: tls, mountPath: /tls, readOnly: true}
      volumes:
      - name: tls
        secret: {secretName: @secret, optional: false}
)";

using Words = std::initializer_list<std::pair<std::string_view, std::string>>;

// Each "@word" by its text; texts may have words in them that come later.
std::string filled(std::string_view form, const Words& words) {
  std::string text(form);
  for (const auto& [word, value] : words) {
    const std::string mark = "@" + std::string(word);
    for (std::size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

}  // namespace

std::vector<TextFile> kubernetes_objects(const Image& image, const Workload& workload,
                                         const Ports& ports) {
  if (!image.has_management) {
    throw Failure(in_quotes(image.path) +
                  " has no management port, which Kubernetes' probes ask: add management_server to "
                  "its configuration");
  }
  const bool takes_secret = !workload.tls_secret.empty();
  if (takes_secret && !image.has_https_port) {
    throw Failure(in_quotes(image.path) + " serves no HTTPS: it has no use for a certificate");
  }
  const bool serves_https = image.has_https || takes_secret;
  std::string arguments;
  if (serves_https) arguments += "        - --https-port=@https\n";
  if (takes_secret) {
    arguments += "        - --cert=/tls/tls.crt\n        - --key=/tls/tls.key\n";
  }
  std::string container_ports = "        - {name: http, containerPort: @http}\n";
  std::string service_ports = "  - {name: http, port: 80, targetPort: http}\n";
  if (serves_https) {
    container_ports += "        - {name: https, containerPort: @https}\n";
    service_ports += "  - {name: https, port: 443, targetPort: https}\n";
  }
  const auto fill = [&](std::string_view form, const std::string& port_lines) {
    return filled(form, {{"arguments", arguments},
                         {"ports", port_lines},
                         {"volumes", takes_secret ? std::string(secret_mount) : ""},
                         {"secret", workload.tls_secret},
                         {"name", workload.name},
                         {"tag", workload.tag},
                         {"user", std::to_string(container_user)},
                         {"https", std::to_string(ports.https)},
                         {"http", std::to_string(ports.http)},
                         {"management", std::to_string(ports.management)}});
  };
  return {{"deployment.yaml", fill(deployment, container_ports)},
          {"service.yaml", fill(service, service_ports)},
          {"disruption-budget.yaml", fill(budget, "")}};
}

}  // namespace crunch::package
