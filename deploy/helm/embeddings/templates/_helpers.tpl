{{- define "embeddings.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $joined := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $joined .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "embeddings.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "embeddings.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "embeddings.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "embeddings.serviceAccount" -}}
{{- default (ternary (include "embeddings.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end }}

{{- define "embeddings.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* The text of one value: Helm reads whole numbers as floats, and would write 1200000 as 1.2e+06. */ -}}
{{- define "embeddings.text" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}
{{- else }}{{ toString . }}{{ end -}}
{{- end }}

{{- /* Environment variables of the settings as JSON; `secret` says which kind is wanted. files/settings.json knows their names. */ -}}
{{- define "embeddings.environment" -}}
{{- $known := .root.Files.Get "files/settings.json" | fromJson -}}
{{- $found := dict -}}
{{- range $name, $value := .root.Values.settings -}}
{{- $variable := required (printf "settings.%s: expected the name of a setting, such as maxBatchSize; docs/configuration.md lists them" $name) (get $known.environment $name) -}}
{{- if eq $.secret (has $name $known.secret) -}}
{{- $_ := set $found $variable (include "embeddings.text" $value) -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- /* Longer than what the process takes by itself, so that requests in flight are answered. */ -}}
{{- define "embeddings.graceSeconds" -}}
{{- $shutdown := ternary (get .Values.settings "shutdownSeconds") 30 (hasKey .Values.settings "shutdownSeconds") -}}
{{- $drain := default .Values.preStopSeconds .Values.settings.drainSeconds -}}
{{- add $shutdown $drain 10 -}}
{{- end }}

{{- define "embeddings.claim" -}}
{{- default (printf "%s-cache" (include "embeddings.fullname" . | trunc 57)) .Values.cache.existingClaim -}}
{{- end }}

{{- /* Whether one pod at a time may mount the cache. */ -}}
{{- define "embeddings.cacheIsExclusive" -}}
{{- if and .Values.cache.persistent (not .Values.cache.existingClaim) (not (has "ReadWriteMany" .Values.cache.accessModes)) }}true{{ end -}}
{{- end }}
