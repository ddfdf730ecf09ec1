{{- /* A text as a label's value: `+` of a version's build metadata becomes `_`, and so does all else that labels forbid. */ -}}
{{- define "monitored-api.labelValue" -}}
{{- regexReplaceAll "[^A-Za-z0-9_.-]" (toString .) "_" | trunc 63 | trimAll "-_." -}}
{{- end -}}

{{- /* A list of maps as one: each key once, the last one wins, also with an empty text; null is no value. */ -}}
{{- define "monitored-api.merged" -}}
{{- $merged := dict -}}
{{- range . -}}{{- range $key, $value := . -}}{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $merged $key $value -}}{{- end -}}{{- end -}}{{- end -}}
{{- toYaml $merged -}}
{{- end -}}

{{- /* The name of every object. A Service's name begins with a letter and has no dot; a release's may. */ -}}
{{- define "monitored-api.fullname" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- $name := default .Chart.Name .Values.nameOverride | replace "." "-" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if regexMatch "^[0-9]" $release -}}
{{- printf "%s-%s" $name $release | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "monitored-api.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "monitored-api.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}{{- default (include "monitored-api.fullname" .) .Values.serviceAccount.name -}}{{- else -}}{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}{{- end -}}
{{- end -}}

{{- /* By these the Deployment, the Service and the ServiceMonitor select; nothing of the user's goes in. */ -}}
{{- define "monitored-api.selectorLabels" -}}
app.kubernetes.io/name: {{ include "monitored-api.labelValue" (default .Chart.Name .Values.nameOverride) | quote }}
app.kubernetes.io/instance: {{ include "monitored-api.labelValue" .Release.Name | quote }}
{{- end -}}

{{- /* Refuses a user's labels that would part the pods from what selects them. */ -}}
{{- define "monitored-api.notInSelector" -}}
{{- range $key := list "app.kubernetes.io/name" "app.kubernetes.io/instance" -}}
{{- if hasKey (default dict $.labels) $key -}}{{- fail (printf "%s: the Deployment and the Service select pods by %s: remove it, or set nameOverride or the release's name" $.value $key) -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Labels of the operator's pods: each key once, podLabels win over commonLabels, these over the chart's own. No version of
       the chart, so that a new one with the same image does not restart the operator. */ -}}
{{- define "monitored-api.podLabels" -}}
{{- include "monitored-api.notInSelector" (dict "value" "podLabels" "labels" .Values.podLabels) -}}
{{- include "monitored-api.notInSelector" (dict "value" "commonLabels" "labels" .Values.commonLabels) -}}
{{- $own := dict "app.kubernetes.io/version" (include "monitored-api.version" .) "app.kubernetes.io/component" "operator" "app.kubernetes.io/part-of" "monitored-api" -}}
{{- include "monitored-api.merged" (list $own (include "monitored-api.selectorLabels" . | fromYaml) .Values.commonLabels .Values.podLabels) -}}
{{- end -}}

{{- /* Labels of every object: each key once, commonLabels win. */ -}}
{{- define "monitored-api.labels" -}}
{{- include "monitored-api.notInSelector" (dict "value" "commonLabels" "labels" .Values.commonLabels) -}}
{{- $own := dict "app.kubernetes.io/version" (include "monitored-api.version" .) "app.kubernetes.io/component" "operator" "app.kubernetes.io/part-of" "monitored-api" "app.kubernetes.io/managed-by" .Release.Service "helm.sh/chart" (include "monitored-api.labelValue" (printf "%s-%s" .Chart.Name .Chart.Version)) -}}
{{- include "monitored-api.merged" (list $own (include "monitored-api.selectorLabels" . | fromYaml) .Values.commonLabels) -}}
{{- end -}}

{{- /* `metadata` of an object: context, and what differs: name, namespace (none: cluster-scoped), labels, annotations. */ -}}
{{- define "monitored-api.metadata" -}}
{{- $annotations := include "monitored-api.merged" (list .context.Values.commonAnnotations .annotations) | fromYaml -}}
name: {{ .name | quote }}
{{- with .namespace }}
namespace: {{ . | quote }}
{{- end }}
labels: {{- include "monitored-api.merged" (list (include "monitored-api.labels" .context | fromYaml) .labels) | nindent 2 }}
{{- with $annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "monitored-api.version" -}}
{{- include "monitored-api.labelValue" (default .Chart.Version .Chart.AppVersion) -}}
{{- end -}}

{{- /* A tag may not hold `+` either. */ -}}
{{- define "monitored-api.image" -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{- else -}}{{ .Values.image.repository }}:{{ default (default .Chart.Version .Chart.AppVersion | replace "+" "_") .Values.image.tag }}{{- end -}}
{{- end -}}

{{- /* What a cluster's administrator installs: true, false, or auto, which is false where the operator has Roles only. */ -}}
{{- define "monitored-api.clusterWide" -}}
{{- if eq (toString .value) "auto" -}}{{- if not .context.Values.watchNamespaces -}}true{{- end -}}{{- else if .value -}}true{{- end -}}
{{- end -}}

{{- /* Whether a kind of the Prometheus Operator is served. A live cluster lists kinds; `--api-versions monitoring.coreos.com/v1`
       alone means all of them. */ -}}
{{- define "monitored-api.hasMonitoringKind" -}}
{{- $api := "monitoring.coreos.com/v1" -}}
{{- $has := .context.Capabilities.APIVersions -}}
{{- if $has.Has (printf "%s/%s" $api .kind) -}}true
{{- else if and ($has.Has $api) (not (or ($has.Has (printf "%s/ServiceMonitor" $api)) ($has.Has (printf "%s/PrometheusRule" $api)) ($has.Has (printf "%s/Prometheus" $api)) ($has.Has (printf "%s/PodMonitor" $api)))) -}}true
{{- end -}}
{{- end -}}

{{- define "monitored-api.hasServiceMonitors" -}}
{{- include "monitored-api.hasMonitoringKind" (dict "context" . "kind" "ServiceMonitor") -}}
{{- end -}}

{{- /* A security context. Values that are null are left out. Where values hold nothing at all (`--reuse-values` from an older
       chart), the pod is as strict as by default. OpenShift chooses ids from the namespace's range: the chart's own are left out. */ -}}
{{- define "monitored-api.securityContext" -}}
{{- $openshift := .context.Capabilities.APIVersions.Has "security.openshift.io/v1" -}}
{{- $result := dict -}}
{{- range $key, $value := default .strict .given -}}
{{- $chosen := and $openshift (has $key (list "runAsUser" "runAsGroup" "fsGroup")) (eq (toString $value) "65532") -}}
{{- if not (or (kindIs "invalid" $value) $chosen) -}}{{- $_ := set $result $key $value -}}{{- end -}}
{{- end -}}
{{- toYaml $result -}}
{{- end -}}

{{- /* A map as the value of a repeatable key=value flag, one flag an entry. */ -}}
{{- define "monitored-api.pairs" -}}
{{- range $key, $value := .map }}
- {{ printf "--%s=%s=%s" $.flag $key $value | quote }}
{{- end }}
{{- end -}}

{{- /* Flags of the operator. One that stands twice ends the operator at once, so the chart's own are refused in extraArgs. */ -}}
{{- define "monitored-api.args" -}}
{{- $settings := dict "metrics-listen" "metricsListen" "leader-elect" "leaderElection.enabled" "lease-namespace" "leaderElection.enabled" "lease-name" "fullnameOverride" "watch-namespaces" "watchNamespaces" "runbook-base-url" "defaults.runbookBaseUrl" "compat" "defaults.compat" "prometheus-url" "prometheusUrl" "detection" "detection.enabled" "object-labels" "defaults.objectLabels" "monitoring-object-labels" "defaults.monitoringObjectLabels" "dashboard-object-labels" "defaults.dashboardObjectLabels" "grafana-instance-labels" "defaults.grafanaInstanceLabels" -}}
{{- range $arg := .Values.extraArgs -}}
{{- $flag := regexFind "^--[a-z-]+" $arg | trimPrefix "--" -}}
{{- if hasKey $settings $flag -}}{{- fail (printf "extraArgs: --%s is set by the chart: use %s" $flag (get $settings $flag)) -}}{{- end -}}
{{- end -}}
- controller
- {{ printf "--metrics-listen=%s" (include "monitored-api.listen" .) | quote }}
- --leader-elect={{ .Values.leaderElection.enabled }}
{{- if .Values.leaderElection.enabled }}
- --lease-namespace={{ include "monitored-api.namespace" . }}
- --lease-name={{ include "monitored-api.fullname" . }}
{{- end }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.defaults.runbookBaseUrl }}
- {{ printf "--runbook-base-url=%s" . | quote }}
{{- end }}
{{- with .Values.defaults.compat }}
- --compat={{ . }}
{{- end }}
{{- with .Values.prometheusUrl }}
- {{ printf "--prometheus-url=%s" . | quote }}
{{- end }}
{{- if eq (toString (.Values.detection).enabled) "false" }}
- --detection=false
{{- end }}
{{- include "monitored-api.pairs" (dict "flag" "object-labels" "map" .Values.defaults.objectLabels) }}
{{- include "monitored-api.pairs" (dict "flag" "monitoring-object-labels" "map" .Values.defaults.monitoringObjectLabels) }}
{{- include "monitored-api.pairs" (dict "flag" "dashboard-object-labels" "map" .Values.defaults.dashboardObjectLabels) }}
{{- include "monitored-api.pairs" (dict "flag" "grafana-instance-labels" "map" .Values.defaults.grafanaInstanceLabels) }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "monitored-api.listen" -}}{{- default "[::]:8080" .Values.metricsListen -}}{{- end -}}

{{- /* Variables of the operator: the user's take the place of the chart's; a name that stands twice is refused. */ -}}
{{- define "monitored-api.env" -}}
{{- $seen := dict -}}
{{- range $index, $variable := .Values.extraEnv -}}
{{- if hasKey $seen $variable.name -}}{{- fail (printf "extraEnv[%d]: %s is given twice: remove one" $index $variable.name) -}}{{- end -}}
{{- $_ := set $seen $variable.name true -}}
{{- end -}}
{{- $own := list -}}
{{- if not (hasKey $seen "RUST_LOG") -}}{{- $own = list (dict "name" "RUST_LOG" "value" (default "info" .Values.logLevel)) -}}{{- end -}}
{{- concat $own (default list .Values.extraEnv) | toYaml -}}
{{- end -}}

{{- /* The API server identifies constraints by these two fields. */ -}}
{{- define "monitored-api.spread" -}}
{{- $seen := dict -}}
{{- range $index, $constraint := .Values.topologySpreadConstraints -}}
{{- $key := printf "%s %s" $constraint.topologyKey $constraint.whenUnsatisfiable -}}
{{- if hasKey $seen $key -}}{{- fail (printf "topologySpreadConstraints[%d]: %s is given twice: remove one" $index $key) -}}{{- end -}}
{{- $_ := set $seen $key true -}}
{{- end -}}
{{- toYaml .Values.topologySpreadConstraints -}}
{{- end -}}
