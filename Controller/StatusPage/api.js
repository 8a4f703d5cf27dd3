// The calls of the admin API. The token, where one is needed, is known to this tab only, and only until it is closed.

const tokenKey = "wunderproxy-token";
const limit = 35_000;

export const token = {
  get: () => sessionStorage.getItem(tokenKey),
  set: text => sessionStorage.setItem(tokenKey, text),
  forget: () => sessionStorage.removeItem(tokenKey),
};

/** Asks for something. */
export const ask = path => call("GET", path);

/** Orders something. */
export const order = (path, body) => call("POST", path, body);

async function call(method, path, body) {
  const headers = { Accept: "application/json, application/problem+json" };
  if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(limit), cache: "no-store" });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail ?? answer.title ?? `${method} ${path} was answered ${response.status}.`), { status: response.status });
  return answer;
}
