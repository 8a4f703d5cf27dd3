# The Proxy. Build it at the root of the repository: docker build -f deploy/images/Proxy.Dockerfile -t wunderproxy-proxy .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Packages.props BannedSymbols.txt global.json ./
COPY Contracts Contracts
COPY Proxy Proxy
RUN dotnet publish Proxy -c Release -o /out -p:PublishReadyToRun=true --use-current-runtime --no-self-contained -p:DebugType=none -p:RunAnalyzers=false

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /out /opt/wunderproxy
# Volumes take the owner of these folders over when they are first used. $APP_UID is the unprivileged user of the base image.
RUN install -d -o $APP_UID -m 0750 /run/wunderproxy && install -d -o $APP_UID -m 0700 /var/lib/wunderproxy-proxy
VOLUME ["/run/wunderproxy", "/var/lib/wunderproxy-proxy"]
USER $APP_UID
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/wunderproxy/wunderproxy-proxy"]
