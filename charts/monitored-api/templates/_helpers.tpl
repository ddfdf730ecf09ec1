{{- define "monitored-api.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}{{- .Release.Name | trunc 63 | trimSuffix "-" -}}{{- else -}}{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "monitored-api.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}{{- default (include "monitored-api.fullname" .) .Values.serviceAccount.name -}}{{- else -}}{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}{{- end -}}
{{- end -}}

{{- define "monitored-api.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "monitored-api.labels" -}}
{{ include "monitored-api.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: monitored-api
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "monitored-api.image" -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{- else -}}{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}{{- end -}}
{{- end -}}

{{- /* A map as the value of a repeatable key=value flag, one flag an entry. */ -}}
{{- define "monitored-api.pairs" -}}
{{- range $key, $value := .map }}
- {{ printf "--%s=%s=%s" $.flag $key $value | quote }}
{{- end }}
{{- end -}}
