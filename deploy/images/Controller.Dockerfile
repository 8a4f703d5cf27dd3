# The Controller. Build it at the root of the repository: docker build -f deploy/images/Controller.Dockerfile -t wunderproxy .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Packages.props BannedSymbols.txt global.json ./
COPY Contracts Contracts
COPY Controller Controller
RUN dotnet publish Controller -c Release -o /out -p:PublishReadyToRun=true --use-current-runtime --no-self-contained -p:DebugType=none -p:RunAnalyzers=false

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /out /opt/wunderproxy
# The engine's socket and the Proxy's control socket are handed in, and both need root in here.
ENV WUNDERPROXY_PROXY_CONTROL=/run/wunderproxy/proxy.sock
VOLUME /var/lib/wunderproxy
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/wunderproxy/wunderproxy"]
CMD ["--help"]
