// An identity provider by SAML 2.0 for tests: samlify, which shares no code with the portal's side.
//
// Settings of the environment: KEY_FILE and CERTIFICATE_FILE (its own, in PEM), SERVICE_FILE (the portal's
// metadata, read at each request), CIPHER (gcm or cbc; empty: in clear), SIGN_RESPONSE (yes: as well).
// "someone=D1001" signs in as the account `someone` with the staff number D1001.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import samlify from "samlify";

const { KEY_FILE, CERTIFICATE_FILE, SERVICE_FILE, CIPHER = "", SIGN_RESPONSE = "" } = process.env;
const { algorithms, namespace } = samlify.Constants;
const { binding, format } = namespace;
const BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic";
const ciphers = { gcm: algorithms.encryption.data.AES_128_GCM, cbc: algorithms.encryption.data.AES_256 };

// The portal's requests are checked by their signature and read by samlify's own extractor.
samlify.setSchemaValidator({ validate: async () => "no schema here" });

let address;
let provider;

function makeProvider() {
  const template = samlify.SamlLib.defaultLoginResponseTemplate;
  return samlify.IdentityProvider({
    entityID: `${address}/metadata`,
    privateKey: readFileSync(KEY_FILE, "utf8"),
    signingCert: readFileSync(CERTIFICATE_FILE, "utf8"),
    requestSignatureAlgorithm: algorithms.signature.RSA_SHA256,
    wantAuthnRequestsSigned: true,
    isAssertionEncrypted: CIPHER !== "",
    dataEncryptionAlgorithm: ciphers[CIPHER],
    keyEncryptionAlgorithm: algorithms.encryption.key.RSA_OAEP_MGF1P,
    nameIDFormat: [format.persistent],
    singleSignOnService: [{ Binding: binding.redirect, Location: `${address}/sso` }],
    loginResponseTemplate: {
      context: template.context,
      attributes: [
        { name: "employee_id", valueTag: "number", nameFormat: BASIC, valueXsiType: "xs:string" },
      ],
    },
  });
}

function makeService() {
  return samlify.ServiceProvider({
    metadata: readFileSync(SERVICE_FILE, "utf8"),
    wantMessageSigned: SIGN_RESPONSE === "yes",
  });
}

function fill(request, service, subject, number) {
  return (context) => {
    const now = Date.now();
    const instant = (minutes) => new Date(now + minutes * 60_000).toISOString();
    const id = provider.entitySetting.generateID();
    const acs = service.entityMeta.getAssertionConsumerService("post");
    const statement = `<saml:AuthnStatement AuthnInstant="${instant(0)}" SessionIndex="${id}-session"><saml:AuthnContext>
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>`;
    return {
      id,
      context: samlify.SamlLib.replaceTagsByValue(context.replace("{AuthnStatement}", statement), {
        ID: id,
        AssertionID: provider.entitySetting.generateID(),
        Destination: acs,
        SubjectRecipient: acs,
        Audience: service.entityMeta.getEntityID(),
        Issuer: provider.entityMeta.getEntityID(),
        IssueInstant: instant(0),
        ConditionsNotBefore: instant(0),
        ConditionsNotOnOrAfter: instant(5),
        SubjectConfirmationDataNotOnOrAfter: instant(5),
        StatusCode: samlify.Constants.StatusCode.Success,
        NameIDFormat: format.persistent,
        NameID: subject,
        InResponseTo: request.extract.request.id,
        attrNumber: number,
      }),
    };
  };
}

async function answer(url) {
  const service = makeService();
  const query = Object.fromEntries(url.searchParams);
  // What was signed: the parameters as they were sent, without the signature.
  const octetString = url.search.slice(1).split("&").filter((part) => /^(SAMLRequest|RelayState|SigAlg)=/.test(part)).join("&");
  const { name: _, ...sent } = query;
  const request = await provider.parseLoginRequest(service, "redirect", { query: sent, octetString });
  const [subject, number = subject] = (url.searchParams.get("name") ?? "").trim().split("=");
  const made = await provider.createLoginResponse(service, request, "post", {}, {
    customTagReplacement: fill(request, service, subject, number),
    encryptThenSign: CIPHER !== "",
  });
  return `<!DOCTYPE html><title>Back to the portal</title><form method="post" action="${made.entityEndpoint}">
<input type="hidden" name="SAMLResponse" value="${made.context}">
<input type="hidden" name="RelayState" value="${query.RelayState}"><button>Continue</button></form>`;
}

function signInPage(url) {
  const kept = [...url.searchParams].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
  return `<!DOCTYPE html><title>Sign in</title><h1>Sign in</h1><form action="/sso">${kept.join("")}
<label>Staff number <input id="name" name="name"></label><button>Sign in</button></form>`;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, address);
  try {
    const page = url.pathname === "/metadata" ? provider.getMetadata() : url.searchParams.has("name") ? await answer(url) : signInPage(url);
    response.setHeader("Content-Type", url.pathname === "/metadata" ? "application/xml" : "text/html");
    response.end(page);
  } catch (error) {
    response.statusCode = 400;
    response.end(String(error));
  }
});
server.listen(0, "127.0.0.1", () => {
  address = `http://localhost:${server.address().port}`; // for a browser, another site than 127.0.0.1
  provider = makeProvider();
  console.log(`Provider on ${address}`);
});
