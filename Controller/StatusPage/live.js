// What happens on the host, as it happens. It survives a restart of the Controller: it comes again until somebody answers.

const names = ["deployment-accepted", "phase-changed", "deployment-ended", "traffic-switched", "drain-ended"];
const pause = 1000;

/**
 * Follows the events while the page is seen.
 * @param on status(document), event(data) and connected(isConnected).
 * @returns what makes it come again at once: a connection can be dead without a browser's notice.
 */
export function follow(on) {
  let source = null;
  let again = 0;

  function open() {
    close();
    source = new EventSource("/events");
    source.addEventListener("open", () => on.connected(true));
    source.addEventListener("status", message => on.status(JSON.parse(message.data)));
    for (const name of names) source.addEventListener(name, message => on.event(JSON.parse(message.data)));
    source.addEventListener("error", () => {
      on.connected(false);
      // A browser comes again by itself after a lost connection, but not after a refusal, as by a Controller that is starting.
      if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, pause);
    });
  }

  function close() {
    clearTimeout(again);
    source?.close();
    source = null;
  }

  // A browser has few connections to one host: a page that nobody sees needs none.
  document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", shown => shown.persisted && open());
  open();
  return open;
}
