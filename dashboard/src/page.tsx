// The frame of every page and the choice of what is in it.

import { useEffect, useMemo, useState } from "react";
import { speech, SpeechContext, storedLanguage, storeLanguage } from "./language";
import { JobPage } from "./pages/job";
import { JobsPage } from "./pages/jobs";

/** The address after `#`: the server then has one page, and a reload stays where one was. */
function useAddress(): string {
  const [address, setAddress] = useState(location.hash);
  useEffect(() => {
    const moved = () => setAddress(location.hash);
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return address;
}

export function Page() {
  const [language, setLanguage] = useState(storedLanguage);
  const spoken = useMemo(() => speech(language), [language]);
  const address = useAddress();
  useEffect(() => {
    document.documentElement.lang = language;
    storeLanguage(language);
  }, [language]);
  const job = /^#\/jobs\/([0-9a-f-]{36})$/.exec(address)?.[1];
  return (
    <SpeechContext.Provider value={spoken}>
      <header>
        <a className="brand" href="#/">
          ragtrain
        </a>
        <nav>
          <a href="#/" aria-current={job ? undefined : "page"}>
            {spoken.say("jobs")}
          </a>
          <a href="/docs">{spoken.say("interface")}</a>
          <button
            type="button"
            className="quiet"
            lang={language === "ru" ? "en" : "ru"}
            onClick={() => setLanguage(language === "ru" ? "en" : "ru")}
          >
            {spoken.say("language")}
          </button>
        </nav>
      </header>
      <main>{job ? <JobPage key={job} id={job} /> : <JobsPage />}</main>
    </SpeechContext.Provider>
  );
}
