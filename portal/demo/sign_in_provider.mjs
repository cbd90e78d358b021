// An identity provider on this machine, for the demo and for tests: any staff number, no real password.
//
// Settings of the environment: PROVIDER_PORT (0: any free one), PORTAL_ADDRESS, OIDC_CLIENT_ID,
// OIDC_CLIENT_SECRET, and BACK_CHANNEL, an address to tell of sign-outs (by default the portal's own).
// A sign-in name is a staff number; "someone=D1001" is the account `someone` with the staff number D1001.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const portal = process.env.PORTAL_ADDRESS ?? "http://127.0.0.1:8000";
const backChannel = process.env.BACK_CHANNEL ?? `${portal}/sign-in/oidc/back-channel-logout`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const signingKey = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: randomBytes(8).toString("hex") };

const numbers = new Map(); // staff numbers by account

const settings = {
  clients: [
    {
      client_id: process.env.OIDC_CLIENT_ID ?? "portal",
      client_secret: process.env.OIDC_CLIENT_SECRET ?? "demo-secret",
      redirect_uris: [`${portal}/sign-in/oidc/callback`],
      post_logout_redirect_uris: [`${portal}/sign-in`],
      backchannel_logout_uri: backChannel,
      backchannel_logout_session_required: true,
    },
  ],
  jwks: { keys: [signingKey] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  pkce: { required: () => true },
  scopes: ["openid"],
  claims: { openid: ["sub", "employee_id", "email"], profile: [] },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource: showSignOut, postLogoutSuccessSource: showSignedOut },
  },
  findAccount: (_, subject) => {
    const number = numbers.get(subject) ?? subject;
    const claims = { sub: subject, employee_id: number, email: `${number.toLowerCase()}@westshire.example` };
    return { accountId: subject, claims: () => claims };
  },
  loadExistingGrant: grantEverything,
  renderError: showError,
  fetch: (address, { dispatcher, ...options }) => fetch(address, options), // the portal is on this machine too
};

async function grantEverything(ctx) {
  const { client, session, provider } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid profile");
  await grant.save();
  return grant;
}

function page(title, body) {
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>${title}</h1>${body}</main></body></html>`;
}

function showSignOut(ctx, form) {
  const button = '<button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign out</button>';
  ctx.body = page("Sign out of the demo provider?", `${form}${button}`);
}

function showSignedOut(ctx) {
  ctx.body = page("You are signed out of the demo provider", "");
}

function showError(ctx, error) {
  ctx.body = page("The demo provider cannot do this", `<p>${String(error.error).replace(/[^a-z_]/g, "")}</p>`);
}

async function readForm(request) {
  let body = "";
  for await (const part of request) body += part;
  return new URLSearchParams(body);
}

async function showSignIn(ctx, next) {
  if (!ctx.path.startsWith("/interaction/")) return next();
  if (ctx.method !== "POST") {
    ctx.body = page(
      "Demo provider: sign in",
      `<form method="post"><p><label for="name">Staff number</label> <input id="name" name="name" required></p>
<button type="submit" name="act" value="sign-in">Sign in</button>
<button type="submit" name="act" value="cancel" formnovalidate>Cancel</button></form>
<p>This provider is for trying the portal. It asks for no password.</p>`,
    );
    return undefined;
  }
  const form = await readForm(ctx.req);
  const [subject, number = subject] = (form.get("name") ?? "").trim().split("=");
  numbers.set(subject, number);
  const result = form.get("act") === "cancel" ? { error: "access_denied" } : { login: { accountId: subject } };
  ctx.respond = false;
  return provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
}

let provider;
const server = createServer((request, response) => provider.callback()(request, response));
server.listen(Number(process.env.PROVIDER_PORT ?? 0), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(issuer, settings);
  provider.use(showSignIn);
  console.log(`Provider on ${issuer}`);
});
