//! What leaves the screen for good.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_copied_goes_to_a_file_and_to_the_terminal_without_secrets() {
    let (paper, exit) = play(Paper::new(80, 24), async |desktop| {
        for code in [KeyCode::Char('2'), KeyCode::Enter, KeyCode::Char('y')] {
            desktop.press(code).await;
        }
        desktop.wait(500).await;
        desktop.press(KeyCode::Char('Q')).await;
        desktop.wait(100).await;
    })
    .await;
    assert_eq!(paper.row(22), " sent to the terminal, and in /state/copied.txt");
    let [told] = paper.told.as_slice() else { panic!("{:?}", paper.told) };
    assert!(told.contains("refused by [secret]:5432") && !told.contains("127.0.0.1"), "{told}");
    let picture = exit.picture.unwrap();
    assert!(picture.text().contains("> 2 DB observability"), "{}", picture.text());
}

#[tokio::test(start_paused = true)]
async fn an_export_that_fails_says_why() {
    let (paper, exit) = play(Paper::new(80, 24), async |desktop| {
        desktop.press(KeyCode::Char('e')).await;
        desktop.wait(500).await;
    })
    .await;
    assert_eq!(paper.row(22), " nothing is exported: the disk is full");
    assert!(exit.picture.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_title_says_the_verdict_once_and_again_after_somebody_else_had_the_terminal() {
    let (keys, input) = mpsc::channel(32);
    let (_snapshots, newest) = watch::channel(Arc::new(sample::snapshot()));
    let (sender, _commands) = mpsc::channel(1);
    let mut paper = Paper::new(80, 24);
    let asides = Asides { title: true, mouse: true, ..Asides::default() };
    let shown = Shown { look: sample::look(), asides };
    let mut inputs = Inputs::from_channel(input);
    let (lab, _tests, _orders) = lab();
    let handles = Handles {
        engine: Handle::new(newest, sender),
        lab,
        user: None,
        outlet: Arc::new(Shelf),
        keys: Arc::default(),
    };
    let script = async {
        sleep(Duration::from_secs(3)).await;
        keys.send(Input::Suspend).await.unwrap();
        keys.send(Input::Continued).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        for c in ['m', 'q'] {
            keys.send(Input::Key(KeyCode::Char(c).into())).await.unwrap();
        }
    };
    let console = run(&mut paper, &mut inputs, handles, Ends::default(), &shown);
    let (exit, ()) = tokio::join!(console, script);
    assert_eq!(exit.unwrap().ended, Ended::Quit);
    let [ours, title] = ["Mouse(Ours)", "Title(\"NO-GO 3 - web-3\")"];
    assert_eq!(paper.told, [ours, title, ours, title, "Mouse(Theirs)"]);
}
