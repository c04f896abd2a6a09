//! The Deployment of one program.

use super::text::{NAMESPACE, header, metadata};

/// Without the host of a registry: kustomize's `images` says where it is.
const IMAGE: &str = concat!("ringspan/ringspan:", env!("CARGO_PKG_VERSION"));

/// One replica: two would be safe, but of no use. What the kubelet asks answers without the control plane, so that a
/// control plane that is away does not make it restart anything.
pub fn text(program: &str) -> String {
    let header = header();
    let metadata = metadata(&format!("ringspan-{program}"), Some(NAMESPACE), program);
    let grants = match program {
        "cluster-reconciler" | "secret-replicator" | "topology-reconciler" => ", RINGSPAN_REQUIRE_GRANTS",
        _ => "",
    };
    format!(
        "{header}apiVersion: apps/v1
kind: Deployment
{metadata}spec:
  replicas: 1
  strategy:
    type: Recreate
  selector:
    matchLabels:
      app.kubernetes.io/name: ringspan
      app.kubernetes.io/component: {program}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ringspan
        app.kubernetes.io/component: {program}
        app.kubernetes.io/part-of: ringspan
    spec:
      serviceAccountName: ringspan-{program}
{POD}      containers:
        - name: {program}
          image: {IMAGE}
          args: [{program}]
          # Read from the environment, where set: RUST_LOG, WATCH_NAMESPACE{grants}.
{CONTAINER}"
    )
}

const POD: &str = "      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile:
          type: RuntimeDefault
";

const CONTAINER: &str = "          ports:
            - name: admin
              containerPort: 8080
          livenessProbe:
            httpGet:
              path: /livez
              port: admin
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet:
              path: /readyz
              port: admin
            periodSeconds: 5
            timeoutSeconds: 5
          resources:
            requests:
              cpu: 10m
              memory: 32Mi
            limits:
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
";
