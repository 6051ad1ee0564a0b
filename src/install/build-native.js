console.log("native build: nothing to do yet");
