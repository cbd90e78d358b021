// Passkeys: the one thing here that needs a script. A form marked data-passkey is shown where the browser can
// use one; its button asks the browser, puts the answer into the form and sends it like any other.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
const named = (list) => list.map((one) => ({ ...one, id: bytes(one.id) }));

if (window.PublicKeyCredential && window.isSecureContext) {
  for (const part of document.querySelectorAll("[data-without-passkeys]")) part.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      fill(form);
    });
  }
}

async function fill(form) {
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button");
  problem.hidden = true;
  button.disabled = true;
  try {
    const options = JSON.parse(form.dataset.options);
    const answer = form.dataset.passkey === "create" ? await create(options) : await get(options);
    form.elements.passkey.value = JSON.stringify(answer);
    form.submit();
  } catch (error) {
    problem.textContent = error.name === "InvalidStateError" ? form.dataset.known : problem.dataset.problem;
    problem.hidden = false;
    button.disabled = false;
  }
}

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  return answerOf(made, { attestationObject: text(made.response.attestationObject) });
}

async function get(options) {
  const used = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
  const { authenticatorData, signature, userHandle } = used.response;
  return answerOf(used, {
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    ...(userHandle?.byteLength ? { userHandle: text(userHandle) } : {}),
  });
}

function answerOf(credential, response) {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: { ...response, clientDataJSON: text(credential.response.clientDataJSON) },
  };
}
